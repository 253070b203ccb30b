// The audit log: what people did, and whose data they looked at.

import {html} from './vendor/preact-htm.js';
import {get} from './api.js';
import {Loaded, Moment, Pager, phone, Table, usePages} from './parts.js';

export const title = 'Audit';

// In words what is written as method and path, or as a command.
const actions = {
  'sign in': 'signed in',
  'sign out': 'signed out',
  'POST /v1/sessions': 'opened a session',
  'GET /v1/sessions/{id}': 'looked at a session',
  'GET /v1/sessions/{id}/events': 'looked at the events of a session',
  'POST /v1/sessions/search': 'searched for sessions',
  'PATCH /v1/sessions/{id}': 'changed a session',
  'POST /v1/sessions/{id}/close': 'closed a session',
  'POST /v1/sessions/{id}/intents': 'announced a hidden caller',
  'POST /v1/sessions/{id}/calls': 'placed a call',
  'POST /v1/sessions/{id}/messages': 'sent a text',
  'GET /v1/sessions': 'listed sessions',
  'GET /v1/calls/{id}': 'looked at a call',
  'DELETE /v1/calls/{id}': 'ended a call',
  'GET /v1/messages/{id}': 'looked at a text',
  'GET /v1/recordings/{id}': 'looked at a recording',
  'DELETE /v1/recordings/{id}': 'had a recording deleted',
  'GET /v1/events': 'looked at the feed of events',
  'GET /v1/routes': 'asked what would happen to a call',
  'POST /v1/routes': 'asked what would happen to a call',
  'POST /v1/numbers': 'added numbers',
  'PATCH /v1/numbers/{id}': 'set how a number is used',
  'POST /v1/numbers/sync': 'had numbers checked at Twilio',
  'POST /v1/deliveries/{id}/retry': 'retried a delivery',
  'POST /v1/deliveries/retry': 'retried all failed deliveries',
  'POST /v1/keys': 'added a key',
  'POST /v1/keys/{id}/revoke': 'revoked a key',
  'PATCH /v1/service': 'changed settings',
};

// The page of what an id names.
const pageOf = subject =>
  /^ses_/.test(subject) ? `#/sessions/${subject}`
    : /^dlv_/.test(subject) ? `#/deliveries/${subject}`
      : /^\+?\d{7,15}$/.test(subject) ? `#/numbers/${subject.replace('+', '')}`
        : /^key_/.test(subject) ? '#/keys'
          : /^svc_/.test(subject) ? '#/settings' : null;

const Subject = ({subject}) => {
  const page = pageOf(subject);
  const text = /^\+?\d{7,15}$/.test(subject)
    ? phone(`+${subject.replace('+', '')}`)
    : /^svc_/.test(subject) ? 'the settings' : subject;
  return page ? html`<a href=${page}>${text}</a>` : html`<span>${text}</span>`;
};

const Who = ({row: {name, key_id}}) => key_id
  ? html`<span title=${key_id}>${name}</span>`
  : html`${name} <small class="hint">command line</small>`;

const columns = [
  {name: 'When', show: row => html`<${Moment} at=${row.at} seconds />`},
  {name: 'Who', show: row => html`<${Who} row=${row} />`},
  {name: 'What', show: ({action, key_id}) => actions[action]
    || html`<code>${key_id ? '' : 'callmask '}${action}</code>`},
  {name: 'To what', show: ({subject, detail}) => html`
    ${subject && html`<${Subject} subject=${subject} />`}
    ${detail && html` <small class="detail">${detail}</small>`}`},
  {name: 'Request', show: ({request_id}) =>
    request_id && html`<code class="request">${request_id}</code>`},
];

export function Page() {
  const pages = usePages(query => get(`audit?${query}`), []);
  return html`
    <h1>Audit log</h1>
    <p class="hint">What operators changed and whose data they looked at, the newest
      first.</p>
    <${Loaded} of=${pages}>${({audit}) => html`
      <${Table} caption="Audit log" hidden rows=${audit} id=${row => row.seq}
        empty="Nothing was done yet." columns=${columns} />`}
    <//>
    <${Pager} of=${pages} />`;
}
