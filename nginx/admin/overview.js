// How things stand, every five seconds anew.

import {html, useState} from './vendor/preact-htm.js';
import {get} from './api.js';
import {Badge, count, duration, Loaded, Moment, useLoaded} from './parts.js';
import {Chart} from './chart.js';
import {CALL_STATUS, REASONS} from './words.js';

export const title = 'Overview';

const EVERY = 5000;

const some = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

// What is wrong, worst first, as [kind, words, page to look at].
function troubles({health, pool, deliveries, parked}) {
  const found = [];
  const find = (yes, ...trouble) => yes && found.push(trouble);
  find(!health.database, 'bad', `Calls cannot be put through: ${health.trouble}.`);
  find(!health.worker, 'bad',
       'The worker does not run: no event, text or call of the app goes out.');
  find(health.database && health.worker && health.trouble, 'bad',
       `callmask is not ready: ${health.trouble}.`);
  find(pool.free === 0, 'bad',
       'No masked number is free: new sessions are refused.', 'numbers');
  find(pool.free > 0 && pool.free <= 1 / 8, 'warn',
       'Few masked numbers are free.', 'numbers');
  find(pool.days_left !== null && pool.days_left < 14, 'warn',
       `The masked numbers last for ${some(pool.days_left, 'day', 'days')} more.`,
       'numbers');
  for (const {channel, late} of deliveries)
    find(late > 60, 'warn',
         `What goes to ${channel === 'app' ? 'the app' : 'Twilio'} is late.`,
         'deliveries');
  find(parked, 'warn',
       `${some(parked, 'delivery has', 'deliveries have')} been given up.`,
       'deliveries');
  return found;
}

const Troubles = ({found}) => html`
  <div class="troubles" role="alert">${found.map(([kind, words, page]) => html`
      <p class=${kind} key=${words}><strong>${kind === 'bad' ? 'Trouble' : 'Note'}:
        </strong>${' '}${words}${page && html`${' '}
        <a href=${'#/' + page}>See ${page}</a>`}</p>`)}</div>`;

// A number and what it counts.
const Figure = ({value, name, kind = ''}) => html`
  <div class=${`figure ${kind}`}><dt>${name}</dt><dd>${value}</dd></div>`;

// Counts by word, the most frequent first, in sentences.
const Causes = ({of: counts, words}) => {
  const list = Object.entries(counts).filter(([, number]) => number)
    .sort((one, other) => other[1] - one[1]);
  return list.length > 0 && html`
    <ul class="causes">${list.map(([word, number]) => html`
      <li key=${word}><b>${count(number)}</b> ${words(word)}</li>`)}
    </ul>`;
};

const Calls = ({calls: {today}}) => html`
  <section>
    <h2>Calls today <small>since midnight, UTC</small></h2>
    <dl class="figures">
      <${Figure} name="answered" value=${count(today.answered)} kind="good" />
      <${Figure} name="missed" value=${count(today.missed)} kind="warn" />
      <${Figure} name="refused" value=${count(today.refused)} kind="bad" />
      <${Figure} name="failed" value=${count(today.failed)} />
    </dl>
    ${today.missed > 0 && html`<h3>Missed</h3>`}
    <${Causes} of=${today.missed_by} words=${word => CALL_STATUS[word]?.[0] || word} />
    ${today.refused > 0 && html`<h3>Refused</h3>`}
    <${Causes} of=${today.refused_by} words=${word => REASONS[word] || word} />
  </section>`;

const Pool = ({pool: {numbers, free, days_left: days}}) => html`
  <section>
    <h2>Masked numbers</h2>
    <dl class="figures">
      <${Figure} name="free for a new pair"
                 value=${free === null ? '–' : `${Math.floor(free * 100)} %`} />
      <${Figure} name="days left" value=${days === null ? '–' : count(days)} />
    </dl>
    ${numbers.length > 0 ? html`
      <ul class="causes">${numbers.map(each => html`
        <li key=${each.country}><b>${each.country}</b>${' '}
          ${['active', 'reserved', 'draining', 'retired']
            .filter(state => each[state])
            .map(state => `${count(each[state])} ${state}`).join(', ')}</li>`)}
      </ul>` : html`<p class="empty">There are none yet.</p>`}
  </section>`;

const Out = ({deliveries, parked, texts: {today}}) => html`
  <section>
    <h2>Going out</h2>
    <dl class="figures">
      ${deliveries.map(({channel, waiting}) => html`
        <${Figure} key=${channel} value=${count(waiting)}
          name=${`wait for ${channel === 'app' ? 'the app' : 'Twilio'}`} />`)}
      <${Figure} name="given up" value=${count(parked)} />
    </dl>
    <ul class="causes">
      ${deliveries.filter(({late}) => late > 0).map(({channel, late}) => html`
        <li key=${channel}>${channel === 'app' ? 'The app’s' : 'Twilio’s'} are
          <b> ${duration(late)}</b> late</li>`)}
      <li><b>${count(today.relayed)}</b> texts passed on today</li>
      <li><b>${count(today.refused)}</b> texts refused today</li>
    </ul>
  </section>`;

const Health = ({health}) => html`
  <section>
    <h2>Health</h2>
    <ul class="causes">
      <li>Database <${Badge} kind=${health.database ? 'good' : 'bad'}
        >${health.database ? 'answers' : 'does not answer'}<//></li>
      <li>Worker <${Badge} kind=${health.worker ? 'good' : 'bad'}
        >${health.worker ? 'runs' : 'does not run'}<//></li>
      <li><b>${count(health.requests_failed)}</b> requests failed</li>
      <li><b>${count(health.calls_apologised)}</b> callers heard an apology</li>
      <li><b>${count(health.calls_unrecorded)}</b> calls could not be written down</li>
    </ul>
    <p class="hint">Counted since callmask's counters were made.</p>
  </section>`;

const SPANS = {hour: 'Hour', day: 'Day', month: 'Month'};

function Charts() {
  const [span, setSpan] = useState('hour');
  const loaded = useLoaded(() => get(`tallies?span=${span}`), [span], EVERY);
  return html`
    <section>
      <div class="head">
        <h2>The last ${SPANS[loaded.value?.span || span].toLowerCase()}</h2>
        <div role="group" aria-label="How far back" class="choice">
          ${Object.entries(SPANS).map(([name, words]) => html`
            <button class="plain" aria-pressed=${String(span === name)}
                    onClick=${() => setSpan(name)}>${words}</button>`)}
        </div>
      </div>
      <${Loaded} of=${loaded}>${({span, step, from, series}) => {
        const start = new Date(from) / 1000;
        const chart = (title, ...shown) => html`
          <${Chart} key=${title} title=${title} span=${span} step=${step}
            start=${start} series=${shown.map(([name, colour, what]) =>
              ({name, colour, values: series[what]}))} />`;
        return html`<div class="charts">
          ${chart('Calls', ['answered', '--bar-good', 'calls_answered'],
                  ['missed', '--bar-warn', 'calls_missed'],
                  ['refused', '--bar-bad', 'calls_refused'])}
          ${chart('Sessions', ['opened', '--bar-calm', 'sessions_opened'])}
          ${chart('Texts', ['passed on', '--bar-calm', 'texts_relayed'])}
        </div>`;
      }}<//>
    </section>`;
}

export function Page() {
  const loaded = useLoaded(() => get('overview'), [], EVERY);
  return html`
    <div class="head">
      <h1>Overview</h1>
      ${loaded.value && html`<p class="hint">As of
        ${' '}<${Moment} at=${loaded.value.now} short=${true} seconds=${true} /></p>`}
    </div>
    <${Loaded} of=${loaded}>${now => html`
      <${Troubles} found=${troubles(now)} />
      <dl class="figures large">
        <${Figure} name="open sessions"
          value=${count(now.sessions.open) + (now.sessions.capped ? ' or more' : '')} />
        <${Figure} name="calls under way" value=${count(now.calls.now)} />
      </dl>
      <div class="cards">
        <${Calls} calls=${now.calls} />
        <${Pool} pool=${now.pool} />
        <${Out} ...${now} />
        <${Health} health=${now.health} />
      </div>`}<//>
    <${Charts} />`;
}
