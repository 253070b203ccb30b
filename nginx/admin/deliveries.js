// What leaves callmask, or could not: events to the app, calls and texts to
// Twilio.

import {html, useState} from './vendor/preact-htm.js';
import {get, post} from './api.js';
import {ago, Badge, count, Dialog, duration, Loaded, mayChange, Moment, Pager, phone,
  say, Table, useLoaded, usePages} from './parts.js';

export const title = 'Deliveries';

const states = {
  waiting: {name: 'Waiting', kind: 'warn', words: 'waiting',
    empty: 'Nothing waits: all that was to leave has left.'},
  parked: {name: 'Failed', kind: 'bad', words: 'failed',
    empty: 'Nothing has failed.'},
  done: {name: 'Done', kind: 'good', words: 'done', empty: 'Nothing was sent yet.'},
};

const kinds = {
  event: 'event to the app',
  call: 'call to be placed',
  hang_up: 'call to be ended',
  message: 'text to be sent',
  erase: 'deletion at Twilio',
  number_check: 'number to be checked at Twilio',
  number_set: 'number to be set at Twilio',
};

const kindOf = ({kind}) => kinds[kind] || kind;

const Answer = ({status, error}) => html`
  ${status ? `HTTP ${status}` : error ? 'no answer' : '–'}
  ${error && html` <small class="detail">${error}</small>`}`;

// What it is about, with the way to its session if that is told.
function Subject({delivery: {subject_id, session_id}}) {
  if (/^\+\d+$/.test(subject_id))
    return html`<a href=${`#/numbers/${subject_id.slice(1)}`}>${phone(subject_id)}</a>`;
  return session_id
    ? html`<a href=${`#/sessions/${session_id}`}>${subject_id}</a>`
    : html`<span>${subject_id}</span>`;
}

const When = ({delivery: {state, due_at, ended_at}}) => state === 'waiting'
  ? html`next try ${due_at && new Date(due_at) > Date.now()
      ? html`<span title=${due_at}>${ago(due_at)}</span>` : 'at once'}`
  : html`<${Moment} at=${ended_at} short seconds />`;

const columns = [
  {name: 'Delivery', show: row => html`
    <a href=${`#/deliveries/${row.id}`} title=${row.id}>${kindOf(row)}</a>`},
  {name: 'About', show: row => html`<${Subject} delivery=${row} />`},
  {name: 'Since', show: row => html`<${Moment} at=${row.created_at} short seconds />`},
  {name: 'Tries', kind: 'number', show: row => count(row.attempts)},
  {name: 'Last answer', show: row => html`<${Answer} ...${row} />`},
];

function List({self, state}) {
  const pages = usePages(
    query => get(`deliveries?${query}&state=${state}`), [state], 10000);
  const [asking, setAsking] = useState(false);
  const retryAll = async () => {
    let retried = 0, answer;
    do {
      answer = await post('deliveries/retry');
      retried += answer.retried;
    } while (answer.more);
    say(retried === 1
      ? 'One delivery is tried anew.' : `${count(retried)} deliveries are tried anew.`);
    await pages.again();
  };
  return html`
    <${Loaded} of=${pages}>${({deliveries}) => html`
      ${state === 'parked' && deliveries.length > 0 && mayChange(self) && html`
        <div class="actions">
          <button class="plain" onClick=${() => setAsking(true)}
            >Retry all that failed…</button>
        </div>`}
      <${Table} caption=${states[state].name} hidden rows=${deliveries}
        id=${row => row.id} empty=${states[state].empty} columns=${[
          ...columns,
          {name: state === 'waiting' ? 'Next' : state === 'done' ? 'Done' : 'Given up',
            show: row => html`<${When} delivery=${row} />`},
        ]} />`}
    <//>
    <${Pager} of=${pages} />
    ${asking && html`
      <${Dialog} title="Retry all that failed?" button="Retry all"
          close=${() => setAsking(false)} act=${retryAll}>
        <p>Everything that was given up is tried anew, at once, with all its tries.
          Old events reach the app late; a text or call whose time is over is not
          sent all the same.</p>
      <//>`}`;
}

const Tries = ({delivery: {tries}}) => html`
  <${Table} caption="Tries" rows=${tries} id=${row => row.number}
    empty="Not tried yet." columns=${[
      {name: 'Try', show: row => count(row.number)},
      {name: 'Began', show: row => html`<${Moment} at=${row.started_at} short seconds />`},
      {name: 'Took', kind: 'number', show: row => row.took_ms < 1000
        ? `${row.took_ms} ms` : duration(row.took_ms / 1000)},
      {name: 'Answer', show: row => html`<${Answer} ...${row} />`},
    ]} />`;

function One({self, id}) {
  const loaded = useLoaded(() => get(`deliveries/${id}`), [id], 5000);
  const [asking, setAsking] = useState(false);
  const retry = async () => {
    await post(`deliveries/${id}/retry`);
    say('The delivery is tried anew.');
    await loaded.again();
  };
  return html`
    <${Loaded} of=${loaded}>${delivery => html`
      <dl class="facts">
        <div><dt>What</dt><dd>${kindOf(delivery)}</dd></div>
        <div><dt>About</dt><dd><${Subject} delivery=${delivery} /></dd></div>
        <div><dt>State</dt>
          <dd><${Badge} kind=${states[delivery.state].kind}
            >${states[delivery.state].words}<//></dd></div>
        <div><dt>Since</dt>
          <dd><${Moment} at=${delivery.created_at} seconds /></dd></div>
        <div><dt>${delivery.state === 'waiting' ? 'Next' : 'Ended'}</dt>
          <dd><${When} delivery=${delivery} /></dd></div>
        <div><dt>Last answer</dt><dd><${Answer} ...${delivery} /></dd></div>
      </dl>
      ${delivery.state === 'parked' && mayChange(self) && html`
        <div class="actions">
          <button onClick=${() => setAsking(true)}>Retry…</button>
        </div>`}
      <${Tries} delivery=${delivery} />`}
    <//>
    ${asking && html`
      <${Dialog} title="Retry this delivery?" button="Retry"
          close=${() => setAsking(false)} act=${retry}>
        <p>It is tried anew, at once, with all its tries.</p>
      <//>`}`;
}

export function Page({self, path}) {
  const one = /^dlv_/.test(path[0]);
  const at = states[path[0]] ? path[0] : 'waiting';
  return html`
    ${one && html`<p><a href="#/deliveries">All deliveries</a></p>`}
    <h1>${one ? 'Delivery' : 'Deliveries'}</h1>
    ${one
      ? html`<p class="hint"><code>${path[0]}</code></p>
          <${One} key=${path[0]} self=${self} id=${path[0]} />`
      : html`
        <nav class="tabs" aria-label="Deliveries">
          <ul>${Object.entries(states).map(([state, {name}]) => html`
            <li><a href=${`#/deliveries/${state}`}
                   aria-current=${state === at ? 'page' : undefined}>${name}</a></li>`)}
          </ul>
        </nav>
        <${List} key=${at} self=${self} state=${at} />`}`;
}
