// The keys that open the API and this panel.

import {html, useState} from './vendor/preact-htm.js';
import {get, post} from './api.js';
import {Badge, Dialog, Field, Loaded, mayChange, Moment, Pager, say, Secret,
  Table, usePages} from './parts.js';

export const title = 'Keys';

const roles = {
  app: 'For your backend: opens and closes sessions. Does not open this panel.',
  admin: 'May do everything, by the API and in this panel.',
  operator: 'A person who works here: everything in this panel.',
  viewer: 'A person who may look here, and change nothing.',
};

const Add = ({close, add}) => html`
  <${Dialog} title="A new key" button="Add key" close=${close} act=${add}>
    <${Field} label="Name" name="name" required maxlength="63" autocomplete="off"
      help="Whose it is, or what for. It stands in the audit log." />
    <fieldset class="choices">
      <legend>What it may do</legend>
      ${Object.entries(roles).map(([role, words]) => html`
        <label>
          <input type="radio" name="role" value=${role} required />
          <span><b>${role}</b> <small>${words}</small></span>
        </label>`)}
    </fieldset>
  <//>`;

const Revoke = ({it, close, again}) => html`
  <${Dialog} title=${`Revoke the key “${it.name}”?`} button="Revoke" danger
      close=${close} act=${async ({typed}) => {
        if (typed.trim() !== it.name)
          throw new Error('This is not its name.');
        await post(`keys/${it.id}/revoke`);
        say(`The key “${it.name}” is revoked.`);
        await again();
      }}>
    <p>${it.role === 'app'
      ? 'Whoever uses it is refused at once. If that is your app, it opens no sessions \
any more.'
      : 'Whoever uses it is refused and signed out at once.'} This cannot be undone.</p>
    <${Field} label=${`To be sure, write its name: ${it.name}`} name="typed" required
      autocomplete="off" spellcheck="false" />
  <//>`;

const columns = (self, revoke) => [
  {name: 'Name', show: ({id, name}) => html`
    ${name}${id === self.id && html` <small class="hint">(yours)</small>`}`},
  {name: 'Role', show: ({role}) => html`<span title=${roles[role]}>${role}</span>`},
  {name: 'Key', show: ({id}) => html`<code title=${id}>${id}</code>`},
  {name: 'Added', show: row => html`<${Moment} at=${row.created_at} short />`},
  {name: 'State', show: ({revoked_at}) => revoked_at
    ? html`<${Badge}>revoked<//> <small><${Moment} at=${revoked_at} short /></small>`
    : html`<${Badge} kind="good">valid<//>`},
  ...(mayChange(self) ? [{name: 'Actions', kind: 'act', show: row =>
    !row.revoked_at && row.id !== self.id && html`
      <button class="plain small" onClick=${() => revoke(row)}
        >Revoke…<span class="unseen"> ${row.name}</span></button>`}] : []),
];

export function Page({self}) {
  const pages = usePages(query => get(`keys?${query}`), []);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState(null);
  const [revoking, setRevoking] = useState(null);
  const add = async ({name, role}) => {
    setMade(await post('keys', {name: name.trim(), role}));
    await pages.again();
  };
  return html`
    <div class="head">
      <h1>Keys</h1>
      ${mayChange(self) && html`
        <button onClick=${() => setAdding(true)}>Add a key</button>`}
    </div>
    <${Loaded} of=${pages}>${({keys}) => html`
      <${Table} caption="Keys" hidden rows=${keys} id=${row => row.id}
        columns=${columns(self, setRevoking)} />`}
    <//>
    <${Pager} of=${pages} />
    ${adding && html`<${Add} add=${add} close=${() => setAdding(false)} />`}
    ${made && html`
      <${Dialog} title=${`The key “${made.name}”`} close=${() => setMade(null)}>
        <${Secret} label="Key" value=${made.key} />
      <//>`}
    ${revoking && html`
      <${Revoke} it=${revoking} again=${pages.again}
        close=${() => setRevoking(null)} />`}`;
}
