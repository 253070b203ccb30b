// Asks callmask: the API as the cookie opens it.

// What a refusal says; `status` and the problem document's `code` and `field`
// are there for those who want to know more.
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail
      ? (problem.field ? `${problem.field} ${problem.detail}` : problem.detail)
      : problem.title || `callmask says ${status}`);
    this.status = status;
    this.code = problem.code;
    this.field = problem.field;
  }
}

let signedOut = () => {};

// Has `tell` called when the sign-in turns out to be over.
export function onSignedOut(tell) {
  signedOut = tell;
}

async function fetchDocument(path, method, body, headers) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {...(body ? {'Content-Type': 'application/json'} : {}), ...headers},
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, {title: 'callmask cannot be reached'});
  }
  const document = answer.status === 204
    ? null : await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refusal(answer.status, document);
  return document;
}

// What is answered with a secret is not kept to be answered again.
const showsSecret = path => path === 'keys' || path === 'service';

// The document that `method path` is answered with, below /v1/. A change is
// asked for under a key of its own, so that asking again after a lost answer
// changes nothing twice.
export async function ask(method, path, body) {
  const headers = method === 'GET'
    ? {} : {'Idempotency-Key': crypto.randomUUID()};
  for (let again = method !== 'GET' && !showsSecret(path); ; again = false) {
    try {
      return await fetchDocument('/admin/v1/' + path, method, body, headers);
    } catch (error) {
      if (error.status === 401)
        signedOut();
      if (!(again && (error.status === 0 || error.status === 503)))
        throw error;
    }
  }
}

export const get = path => ask('GET', path);
export const post = (path, body) => ask('POST', path, body);
export const patch = (path, body) => ask('PATCH', path, body);

export const signIn = key =>
  fetchDocument('/admin/sign-in', 'POST', {key});
export const signOut = () => fetchDocument('/admin/sign-out', 'POST');
