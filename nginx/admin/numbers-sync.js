// How numbers are set up at Twilio. callmask's worker looks there, as nobody
// else is let out; what it found stands with each number.

import {html, useEffect, useState} from './vendor/preact-htm.js';
import {get, post} from './api.js';
import {count, Problem} from './parts.js';

export const twilioStates = {
  unknown: {kind: 'calm', words: 'not checked yet'},
  checking: {kind: 'calm', words: 'being checked'},
  right: {kind: 'good', words: 'right'},
  wrong: {kind: 'bad', words: 'set differently'},
  missing: {kind: 'bad', words: 'not in the account'},
  failed: {kind: 'warn', words: 'not found out'},
};

// After so long without any number checked, the worker is asked after.
const PATIENCE_MS = 20000;

let syncs = 0;

// Has numbers (none named: all) checked, and with `apply` set. Of all, callmask
// takes so many at a time.
export async function startSync(apply, numbers) {
  let queued = 0, cursor;
  do {
    const answer = await post('numbers/sync', {
      apply, ...(numbers && {numbers}), ...(cursor && {cursor})});
    queued += answer.queued;
    cursor = answer.next;
  } while (cursor);
  return {id: ++syncs, apply, numbers, queued};
}

const pause = ms => new Promise(done => setTimeout(done, ms));

// The numbers it is about: some by name, or a page of all.
async function look(numbers, cursor) {
  if (!numbers)
    return get(`numbers?limit=100${cursor && `&cursor=${cursor}`}`);
  return {
    numbers: await Promise.all(numbers.map(each => get(`numbers/${each.slice(1)}`))),
    next: null,
  };
}

// Goes through the numbers, staying at each page until nothing on it is being
// checked any more; tells what was found so far.
async function watch({numbers}, tell, over) {
  const found = {};
  for (let cursor = ''; !over();) {
    if (document.hidden) {
      await pause(1000);
      continue;
    }
    const page = await look(numbers, cursor);
    const here = {...found};
    for (const {twilio} of page.numbers)
      here[twilio.state] = (here[twilio.state] || 0) + 1;
    tell(here);
    if (page.numbers.some(each => each.twilio.state === 'checking')) {
      await pause(1000);
      continue;
    }
    Object.assign(found, here);
    if (!page.next)
      return;
    cursor = page.next;
  }
}

const inWords = found => Object.entries(twilioStates)
  .filter(([name]) => found[name] && name !== 'checking')
  .map(([name, {words}]) => `${count(found[name])} ${words}`).join(', ');

// Shows how far it is, and at the end what came of it.
export function Sync({sync, again, close}) {
  const [found, setFound] = useState({});
  const [state, setState] = useState('going');
  const [slow, setSlow] = useState(false);
  const [error, setError] = useState(sync.error);
  const done = Object.entries(found).reduce((sum, [name, number]) =>
    name === 'checking' ? sum : sum + number, 0);
  useEffect(() => {
    let over = Boolean(sync.error);
    if (!over)
      watch(sync, setFound, () => over)
        .then(() => over || again().then(() => setState('done')))
        .catch(problem => over || setError(problem));
    return () => {
      over = true;
    };
  }, []);
  useEffect(() => {
    setSlow(false);
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const going = state === 'going' && !error;
  return html`
    <section class="sync" aria-label="Twilio">
      ${going && html`
        <label>${sync.apply ? 'Being set' : 'Being checked'} at Twilio:
          ${count(Math.min(done, sync.queued))} of ${count(sync.queued)}
          <progress value=${Math.min(done, sync.queued)} max=${sync.queued || 1} />
        </label>`}
      ${going && slow && html`
        <p class="hint">This takes long. Is the worker running, and can it reach
          Twilio? What it finds out later stands in the list.</p>`}
      <p role="status">${state === 'done' && `${sync.apply ? 'Set' : 'Checked'} at \
Twilio: ${inWords(found)}.`}</p>
      <${Problem} error=${error} />
      <button class="plain small" onClick=${close}
        >${going ? 'Do not wait' : 'Dismiss'}</button>
    </section>`;
}
