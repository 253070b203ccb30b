// Asks the sandbox: its control API, and the app's backend in it.

// The document of an answer; throws an Error in words if it is refused.
export async function ask(method, path, body) {
  const answer = await fetch('/sandbox/' + path, {
    method,
    headers: body ? {'Content-Type': 'application/json'} : {},
    body: body && JSON.stringify(body),
  });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Error(document.detail || document.error || document.title ||
                    `the sandbox says ${answer.status}`);
  return document;
}

export const post = (path, body = {}) => ask('POST', path, body);

// Brings every entry of the transcript to `take`, in order, for ever. `begin` is
// called first, and again when the sandbox has begun anew; `lost` when it is gone.
export async function follow(begin, take, lost) {
  for (let after = null;;) {
    try {
      if (after === null) {
        await begin();
        after = 0;
      }
      const wait = after ? 25 : 0;
      const news = await ask('GET', `transcript?after=${after}&wait=${wait}`);
      lost(false);
      if (news.last < after) {
        after = null;
        continue;
      }
      after = news.last;
      take(news.entries);
      // An empty transcript that has not begun has no number to wait after.
      if (!after)
        await new Promise(done => setTimeout(done, 300));
    } catch (error) {
      lost(true);
      after = null;
      await new Promise(done => setTimeout(done, 1000));
    }
  }
}
