// The sessions: found by whatever is known of them, and one of them.

import {html, useState} from './vendor/preact-htm.js';
import {get, post} from './api.js';
import {Badge, Field, Loaded, Moment, Pager, phone, Table, usePages}
  from './parts.js';
import {Session} from './session.js';
import {SESSION_STATUS} from './words.js';

export const title = 'Sessions';

const MATCHED = {
  id: 'The session with this id',
  reference: 'Sessions with this reference',
  masked_number: 'Sessions on this masked number, newest first',
  phone: 'Sessions of the person with this phone, newest first',
};

// What was looked for last, for who comes back from a session, and for nobody else
// who signs in here. In no address: it may be a person's number.
const nothing = {text: '', status: ''};
let kept = {whose: '', wanted: nothing};

function load({text, status}, query) {
  if (!text)
    return get(`sessions?${query}${status && `&status=${status}`}`);
  const {cursor} = Object.fromEntries(new URLSearchParams(query));
  return post('sessions/search', {
    text, limit: 50, ...(status && {status}), ...(cursor && {cursor})});
}

const columns = [
  {name: 'Session', show: each => html`
    <a href=${`#/sessions/${each.id}`}>${each.reference || each.id}</a>`},
  {name: 'Status', show: ({status}) => html`
    <${Badge} kind=${SESSION_STATUS[status][1]}>${SESSION_STATUS[status][0]}<//>`},
  {name: 'Masked numbers', show: ({parties}) =>
    [...new Set(parties.map(party => phone(party.masked_number)))].join(', ')},
  {name: 'Parties', show: ({parties}) =>
    parties.map(({role}) => role).join(', ')},
  {name: 'Opened', show: each => html`<${Moment} at=${each.created_at} />`},
  {name: 'Ends or ended', show: each => html`
    <${Moment} at=${each.linger_until || each.closed_at || each.expires_at} />`},
];

function List({self}) {
  const last = kept.whose === self.id ? kept.wanted : nothing;
  const [wanted, setWanted] = useState(last);
  const [text, setText] = useState(last.text);
  const pages = usePages(query => load(wanted, query), [wanted]);
  const look = change => {
    const next = {...wanted, ...change};
    kept = {whose: self.id, wanted: next};
    if (JSON.stringify(next) === JSON.stringify(wanted))
      pages.again();
    setWanted(next);
  };
  return html`
    <h1>Sessions</h1>
    <form aria-label="Find sessions" class="search" onSubmit=${event => {
      event.preventDefault();
      look({text: text.trim()});
    }}>
      <${Field} label="Find" type="search" name="text" value=${text} maxlength="200"
        autocomplete="off" spellcheck="false"
        help="A reference, an id, a masked number, or a person’s phone."
        onInput=${event => {
          setText(event.target.value);
          if (!event.target.value)
            look({text: ''});
        }} />
      <${Field} as="select" label="Status" name="status"
        onChange=${event => look({status: event.target.value})}>
        <option value="">any</option>
        ${Object.entries(SESSION_STATUS).map(([status, [words]]) => html`
          <option value=${status} selected=${status === wanted.status}
          >${words}</option>`)}
      <//>
      <button>Find</button>
    </form>
    <${Loaded} of=${pages}>${({sessions, matched}) => html`
      <${Table} rows=${sessions} id=${each => each.id} columns=${columns}
        caption=${matched ? MATCHED[matched] : 'Sessions, newest first'}
        empty=${matched ? `${MATCHED[matched]}: there are none.` : 'There are none.'} />
      <${Pager} of=${pages} />`}<//>`;
}

export const Page = ({self, path: [id]}) =>
  id ? html`<${Session} self=${self} id=${id} />` : html`<${List} self=${self} />`;
