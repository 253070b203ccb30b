// One session: what it is, what happened, what can be done.

import {html, useState} from './vendor/preact-htm.js';
import {get, post} from './api.js';
import {ago, Badge, dialled, Field, Form, Loaded, mayChange, Moment, phone, say,
        useLoaded} from './parts.js';
import {Deeds} from './deeds.js';
import {timeline, Timeline} from './timeline.js';
import {ACTIONS, reason, SESSION_STATUS} from './words.js';

const EVERY = 5000;
const PAGE = 100;

// The session with up to so many of its events.
async function load(id, most) {
  const path = `sessions/${encodeURIComponent(id)}`;
  const session = await get(path);
  const events = [];
  let next = 0;
  do {
    const page = await get(`${path}/events?limit=${PAGE}&after=${next}`);
    events.push(...page.events);
    next = page.next;
  } while (next !== null && events.length < most);
  return {session, items: timeline(session, events, next !== null),
          more: next !== null};
}

const who = word => ({both: 'both parties', none: 'nobody'})[word] || `the ${word}`;

const Fact = ({name, children}) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

const Facts = ({session}) => html`
  <dl class="facts">
    <${Fact} name="Reference">${session.reference || '–'}<//>
    <${Fact} name="Id"><code>${session.id}</code><//>
    ${session.parties.map(party => html`
      <${Fact} key=${party.role} name=${`Masked number of the ${party.role}`}>
        ${phone(party.masked_number)}${' '}
        ${party.disputed && html`<${Badge} kind="bad">disputed<//>`}<//>`)}
    <${Fact} name="Who may call">${who(session.voice)}<//>
    <${Fact} name="Who may text">${who(session.text)}<//>
    <${Fact} name="Opened"><${Moment} at=${session.created_at} seconds=${true} /><//>
    ${session.closed_at
      ? html`<${Fact} name=${session.status === 'expired' ? 'Expired' : 'Closed'}>
          <${Moment} at=${session.closed_at} seconds=${true} /><//>`
      : html`<${Fact} name="Ends"><${Moment} at=${session.expires_at} seconds=${true} />
          ${' '}<span class="hint">${ago(session.expires_at)}</span><//>`}
    ${session.linger_until && html`
      <${Fact} name="Lingers until">
        <${Moment} at=${session.linger_until} seconds=${true} /><//>`}
  </dl>`;

// What a route says, for people.
function Route({route, session}) {
  const callee = session.parties.find(({id}) => id === route.callee);
  return html`
    <p><strong>${ACTIONS[route.action]}</strong> ${reason(route.reason)}</p>
    ${route.sentence && html`<p>The caller hears: <q>${route.sentence}</q></p>`}
    ${callee && html`<p>The phone of the ${callee.role} is rung and
      shows ${phone(route.shown)}.</p>`}
    ${route.session && route.session !== session.id && html`
      <p>This phone belongs to <a href=${`#/sessions/${route.session}`}>another
        session</a> on that number.</p>`}`;
}

function WhatIf({session}) {
  const [route, setRoute] = useState(null);
  const numbers = [...new Set(session.parties.map(party => party.masked_number))];
  return html`
    <section>
      <h2>What if this phone dialled now?</h2>
      <${Form} button="Find out" act=${async ({from, to}, form) => {
        setRoute(null);
        setRoute(await post('routes', {from: dialled(from), to}));
        form.reset();
      }}>
        <${Field} label="The phone" name="from" type="tel" autocomplete="off"
          help="With country code; empty for a hidden number. It is not kept." />
        <${Field} as="select" label="dials" name="to">
          ${numbers.map(number => html`
            <option value=${number}>${phone(number)}</option>`)}<//>
      <//>
      <div role="status" class="route">
        ${route && html`<${Route} route=${route} session=${session} />`}
      </div>
    </section>`;
}

export function Session({self, id}) {
  const [most, setMost] = useState(5 * PAGE);
  const [live, setLive] = useState(true);
  const loaded = useLoaded(async () => {
    const value = await load(id, most);
    setLive(['open', 'lingering'].includes(value.session.status) ||
            value.session.calls.some(({ended_at: ended}) => !ended));
    return value;
  }, [most, live], live ? EVERY : 6 * EVERY);
  const done = async words => {
    say(words);
    await loaded.again();
  };
  return html`
    <p><a href="#/sessions">All sessions</a></p>
    <${Loaded} of=${loaded}>${({session, items, more}) => html`
      <div class="head">
        <h1>${session.reference || session.id}${' '}
          <${Badge} kind=${SESSION_STATUS[session.status][1]}
            >${SESSION_STATUS[session.status][0]}<//></h1>
        ${mayChange(self) && html`<${Deeds} session=${session} done=${done} />`}
      </div>
      <div class="beside">
        <section>
          <h2>What happened</h2>
          <${Timeline} items=${items} />
          ${more && html`<button class="plain"
            onClick=${() => setMost(most + 5 * PAGE)}>Show what came later</button>`}
        </section>
        <aside>
          <section><h2>The session</h2><${Facts} session=${session} /></section>
          <${WhatIf} session=${session} />
        </aside>
      </div>`}<//>`;
}
