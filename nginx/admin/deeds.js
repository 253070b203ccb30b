// What an operator can do to a session: a dialog each. `done` is called with
// what was done, in words, before the dialog closes.

import {html, useState} from './vendor/preact-htm.js';
import {patch, post} from './api.js';
import {Dialog, dialled, Field, Moment} from './parts.js';

const Roles = ({session, name, label, help, value, children}) => html`
  <${Field} as="select" name=${name} label=${label} help=${help}>
    ${children}
    ${session.parties.map(({role}) => html`
      <option value=${role} selected=${role === value}>${role}</option>`)}
  <//>`;

const Close = ({session, close, done}) => html`
  <${Dialog} title="Close this session?" button="Close the session" danger
    close=${close} act=${async ({end_calls: end}) => {
      await post(`sessions/${session.id}/close`, end ? {end_calls: true} : {});
      await done(end ? 'The session is closed, its calls are being ended.'
        : 'The session is closed.');
    }}>
    <p>From that second its masked numbers connect neither of the two parties.
      Who calls hears that the session is over. It cannot be opened again.</p>
    <label><input type="checkbox" name="end_calls" value="yes" />
      End calls under way, too. They may finish otherwise.</label>
  <//>`;

const MORE = [['15 min', 15], ['1 hour', 60], ['4 hours', 240], ['1 day', 1440]];

function Extend({session, close, done}) {
  const [minutes, setMinutes] = useState('60');
  const from = Math.max(new Date(session.expires_at), Date.now());
  const end = Number(minutes) > 0
    ? new Date(Math.floor((from + minutes * 60000) / 1000) * 1000)
      .toISOString().replace('.000', '') : null;
  return html`
    <${Dialog} title="Extend this session" button="Extend" close=${close}
      act=${async () => {
        await patch(`sessions/${session.id}`, {expires_at: end});
        await done('The session is extended.');
      }}>
      <div class="choice" role="group" aria-label="Usual times">
        ${MORE.map(([words, value]) => html`
          <button type="button" class="plain"
            aria-pressed=${String(minutes === String(value))}
            onClick=${() => setMinutes(String(value))}>${words}</button>`)}
      </div>
      <${Field} label="By how many minutes" type="number" name="expires_at"
        min="1" step="1" required value=${minutes}
        onInput=${event => setMinutes(event.target.value)} />
      <p>It ends <${Moment} at=${session.expires_at} /> now${end && html`,
        ${' '}<strong><${Moment} at=${end} /></strong> then`}.</p>
    <//>`;
}

const Replace = ({session, close, done}) => html`
  <${Dialog} title="Another phone for a party" button="Replace" danger
    close=${close} act=${async ({role, phone}) => {
      await patch(`sessions/${session.id}`,
                  {parties: [{role, phone: dialled(phone)}]});
      await done(`The ${role} has another phone.`);
    }}>
    <p>The old phone is cut off at once. The other party keeps the masked number.
      The new number is stored sealed and never shown again.</p>
    <${Roles} session=${session} name="role" label="Whose phone" />
    <${Field} label="New phone" name="phone" type="tel" required
      autocomplete="off" help="With country code, like +1 202 555 0123." />
  <//>`;

const Call = ({session, close, done}) => html`
  <${Dialog} title="Call the parties" button="Call" close=${close}
    act=${async ({from}) => {
      await post(`sessions/${session.id}/calls`, {from});
      await done(`The phone of the ${from} is rung.`);
    }}>
    <p>One phone rings first and shows the masked number. Who answers is connected
      to the other party.</p>
    <${Roles} session=${session} name="from" label="Who is rung first" />
  <//>`;

const Text = ({session, close, done}) => html`
  <${Dialog} title="Text the parties" button="Send" close=${close}
    act=${async ({to, text}) => {
      await post(`sessions/${session.id}/messages`, {to, text});
      await done('The text is on its way.');
    }}>
    <${Roles} session=${session} name="to" label="To">
      <option value="both">both</option><//>
    <${Field} as="textarea" label="Text" name="text" rows="4" required
      maxlength="1600" help="It comes from the masked number the party knows. callmask
        does not show it again." />
  <//>`;

const Modes = ({session, close, done}) => {
  const who = (name, label) => html`
    <${Roles} session=${session} name=${name} label=${label} value=${session[name]}>
      <option value="both" selected=${session[name] === 'both'}>both</option>
      <option value="none" selected=${session[name] === 'none'}>nobody</option><//>`;
  return html`
    <${Dialog} title="Who may call and text" button="Change" close=${close}
      act=${async ({voice, text}) => {
        await patch(`sessions/${session.id}`, {voice, text});
        await done('Who may call and text is changed.');
      }}>
      ${who('voice', 'Calls')}
      ${who('text', 'Texts')}
    <//>`;
};

const DEEDS = [
  ['Call', Call, ({connects}) => connects],
  ['Text', Text, ({connects}) => connects],
  ['Extend', Extend, ({open}) => open],
  ['Calls and texts', Modes, ({open}) => open],
  ['Replace a phone', Replace, ({open}) => open],
  ['Close', Close, ({connects, talking}) => connects || talking],
];

// The buttons for what can be done now.
export function Deeds({session, done}) {
  const [chosen, choose] = useState(null);
  const state = {
    open: session.status === 'open',
    connects: ['open', 'lingering'].includes(session.status),
    talking: session.calls.some(({ended_at: ended}) => !ended),
  };
  const Chosen = chosen;
  return html`
    <div class="buttons deeds">
      ${DEEDS.filter(([, , can]) => can(state)).map(([words, deed]) => html`
        <button class=${deed === Close ? 'danger' : 'plain'}
                onClick=${() => choose(() => deed)}>${words}</button>`)}
    </div>
    ${Chosen && html`<${Chosen} session=${session} done=${done}
      close=${() => choose(null)} />`}`;
}
