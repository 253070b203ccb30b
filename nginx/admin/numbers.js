// The masked numbers: how each is used, and whether it is set up at Twilio.

import {html, useEffect, useRef, useState} from './vendor/preact-htm.js';
import {get, patch} from './api.js';
import {Badge, count, Dialog, Loaded, mayChange, Moment, Pager, phone, say,
  Table, useLoaded, usePages} from './parts.js';
import {Add} from './numbers-add.js';
import {startSync, Sync, twilioStates} from './numbers-sync.js';

export const title = 'Numbers';

const states = {
  active: ['good', 'New sessions get it.'],
  reserved: ['calm', 'Sessions get it only if the app asks for this very number.'],
  draining: ['warn', 'No session gets it any more; those that have it go on.'],
  retired: ['calm', 'Not used at all: whoever dials it hears that it is not in \
service.'],
};

const digits = number => number.slice(1);

const Twilio = ({twilio: {state, detail, checked_at}}) => html`
  <div class="twilio">
    <${Badge} kind=${twilioStates[state].kind}>${twilioStates[state].words}<//>
    ${checked_at && html` <small><${Moment} at=${checked_at} short /></small>`}
    ${detail && state !== 'missing' && html`<small class="detail">${detail}</small>`}
  </div>`;

// One number to be looked for, which is all of an address that a number has.
function Find({go}) {
  const find = event => {
    event.preventDefault();
    const number = new FormData(event.target).get('number').replace(/\D/g, '');
    if (number)
      go('numbers', number);
  };
  return html`
    <form class="find" role="search" onSubmit=${find}>
      <label>Number
        <input type="search" name="number" inputmode="tel" placeholder="+1 202 …"
               autocomplete="off" />
      </label>
      <button class="plain">Find</button>
    </form>`;
}

const Filters = ({filter, setFilter}) => html`
  <label>State
    <select value=${filter.state}
            onChange=${event => setFilter({...filter, state: event.target.value})}>
      <option value="">all</option>
      ${Object.keys(states).map(name => html`<option value=${name}>${name}</option>`)}
    </select>
  </label>
  <label>Country
    <input class="code" value=${filter.country} maxlength="2" placeholder="US"
           autocomplete="off" onInput=${event => {
             const country = event.target.value.toUpperCase();
             event.target.value = country;
             if (country.length !== 1)
               setFilter({...filter, country});
           }} />
  </label>`;

// Sets the state of numbers one after the other; those that are refused are
// named.
async function setStates(numbers, state) {
  const refused = [];
  for (const number of numbers) {
    try {
      await patch(`numbers/${digits(number)}`, {state});
    } catch (error) {
      refused.push(`${phone(number)}: ${error.message}.`);
    }
  }
  const done = numbers.length - refused.length;
  if (done)
    say(`${done === 1 ? 'One number is' : `${count(done)} numbers are`} now ${state}.`);
  if (refused.length)
    throw new Error(refused.join(' '));
}

const many = numbers => numbers.length === 1
  ? phone(numbers[0]) : `${count(numbers.length)} numbers`;

const StateDialog = ({numbers, state, close, again}) => html`
  <${Dialog} title=${`How ${many(numbers)} ${numbers.length === 1 ? 'is' : 'are'} used`}
      button="Set" close=${close}
      act=${async values => {
        try {
          await setStates(numbers, values.state);
        } finally {
          await again();
        }
      }}>
    <fieldset class="choices">
      <legend class="unseen">State</legend>
      ${Object.entries(states).map(([name, [, words]]) => html`
        <label>
          <input type="radio" name="state" value=${name} required
                 defaultChecked=${name === state} />
          <span><b>${name}</b> <small>${words}</small></span>
        </label>`)}
    </fieldset>
  <//>`;

const ApplyDialog = ({numbers, close, start}) => html`
  <${Dialog} title=${`Set ${numbers ? many(numbers) : 'all numbers'} at Twilio?`}
      button="Set at Twilio" close=${close} act=${() => start(true, numbers)}>
    <p>Calls, call statuses and texts of ${numbers ? 'these numbers' : 'every number'}
      are pointed to this callmask. What is right already is left alone. What is set
      there now for another use stops working.</p>
  <//>`;

// What can be done: with the numbers that are chosen or, at Twilio, with all.
function Actions({shown, chosen, choose, open, start}) {
  const some = chosen.length > 0;
  const which = some ? chosen : undefined;
  const words = some ? count(chosen.length) : 'all';
  return html`
    <div class="actions" role="group" aria-label="What to do with numbers">
      <label>
        <input type="checkbox" checked=${some && chosen.length === shown.length}
               indeterminate=${some && chosen.length < shown.length}
               onChange=${event => choose(event.target.checked ? shown : [])} />
        ${some ? `${count(chosen.length)} chosen` : 'All on this page'}
      </label>
      <button class="plain" disabled=${!some}
              onClick=${() => open('state')}>Set state…</button>
      <button class="plain" onClick=${() => start(false, which)}
        >Check ${words} at Twilio</button>
      <button class="plain" onClick=${() => open('apply')}
        >Set ${words} at Twilio…</button>
    </div>`;
}

function columns(may, chosen, choose) {
  const mark = (number, on) => choose(was =>
    [...was.filter(each => each !== number), ...(on ? [number] : [])]);
  const name = ({number}) => may
    ? html`<label><input type="checkbox" checked=${chosen.includes(number)}
        onChange=${event => mark(number, event.target.checked)} /> ${phone(number)}</label>`
    : phone(number);
  return [
    {name: 'Number', show: name},
    {name: 'Country', show: row => row.country},
    {name: 'State', show: ({state}) =>
      html`<${Badge} kind=${states[state][0]}>${state}<//>`},
    {name: 'Live', kind: 'number', show: row => most(row.live)},
    {name: 'Held', kind: 'number', show: row => most(row.held)},
    {name: 'Last used', show: row => html`<${Moment} at=${row.last_used_at} short />`},
    {name: 'At Twilio', show: row => html`<${Twilio} twilio=${row.twilio} />`},
  ];
}

// Legs are counted up to a thousand.
const most = legs => legs >= 1000 ? '1,000+' : count(legs);

// The numbers of a list, and what can be done with them.
function Numbers({self, pages, rows, empty}) {
  const [marked, choose] = useState([]);
  const [dialog, open] = useState(null);
  const [sync, setSync] = useState(null);
  const shown = rows.map(row => row.number);
  const chosen = marked.filter(number => shown.includes(number));
  const may = mayChange(self);
  const start = async (apply, numbers) => {
    setSync(null);
    setSync(await startSync(apply, numbers).catch(error => ({error})));
    await pages.again();
  };
  const close = () => open(null);
  return html`
    ${may && rows.length > 0 && html`
      <${Actions} shown=${shown} chosen=${chosen} choose=${choose}
        open=${open} start=${start} />`}
    ${sync && html`<${Sync} key=${sync.id} sync=${sync} again=${pages.again}
        close=${() => setSync(null)} />`}
    <${Table} caption="Masked numbers" hidden rows=${rows} id=${row => row.number}
      empty=${empty} columns=${columns(may, chosen, choose)} />
    ${dialog === 'state' && html`
      <${StateDialog} numbers=${chosen} close=${close} again=${pages.again}
        state=${rows.find(row => row.number === chosen[0]).state} />`}
    ${dialog === 'apply' && html`
      <${ApplyDialog} numbers=${chosen.length ? chosen : undefined} close=${close}
        start=${start} />`}`;
}

// While something is being checked at Twilio, the list is looked at more often.
function useWatch(loaded, rows) {
  const checking = rows.some(row => row.twilio.state === 'checking');
  const again = useRef();
  again.current = loaded.again;
  useEffect(() => {
    const timer = checking && setInterval(
      () => document.hidden || again.current(), 1500);
    return () => clearInterval(timer);
  }, [checking]);
}

function List({self, go, path}) {
  const [filter, setFilter] = useState(
    {state: states[path[0]] ? path[0] : '', country: ''});
  const query = Object.entries(filter).filter(([, value]) => value)
    .map(([name, value]) => `&${name}=${value}`).join('');
  const pages = usePages(page => get(`numbers?${page}${query}`), [query], 30000);
  useWatch(pages, pages.value?.numbers || []);
  return html`
    <div class="filters">
      <${Filters} filter=${filter} setFilter=${setFilter} />
      <${Find} go=${go} />
    </div>
    <${Loaded} of=${pages}>${({numbers}) => html`
      <${Numbers} self=${self} pages=${pages} rows=${numbers}
        empty=${query ? 'No such numbers.'
          : 'No numbers yet. Sessions need at least one for each country.'} />`}
    <//>
    <${Pager} of=${pages} />`;
}

function One({self, number}) {
  const loaded = useLoaded(() => get(`numbers/${number}`), [number], 30000);
  useWatch(loaded, loaded.value ? [loaded.value] : []);
  return html`
    <p><a href="#/numbers">All numbers</a></p>
    <${Loaded} of=${loaded}>${value => html`
      <${Numbers} self=${self} pages=${loaded} rows=${[value]} />`}
    <//>`;
}

export function Page({self, path, go}) {
  if (path[0] === 'add' && mayChange(self))
    return html`<${Add} />`;
  return html`
    <div class="head">
      <h1>Numbers</h1>
      ${mayChange(self) && html`<a role="button" href="#/numbers/add">Add numbers</a>`}
    </div>
    ${/^\d+$/.test(path[0])
      ? html`<${One} key=${path[0]} self=${self} number=${path[0]} />`
      : html`<${List} key=${path[0]} self=${self} path=${path} go=${go} />`}`;
}
