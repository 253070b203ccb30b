// The page: the story, the phones, the wire.

import {html, render, useEffect, useState} from '/admin/vendor/preact-htm.js';
import {ask, follow, post} from './api.js';
import {hush, ring, speak} from './sound.js';
import {extras, next, steps} from './story.js';
import {learn, live, newWorld, people, person, pretty} from './world.js';
import {Phone} from './phone.js';
import {Wire} from './wire.js';

let world = newWorld();
let draw = () => {};
let lost = false, loud = false, asking = false;
let news = '';                    // for those who do not see the phones

// Phones ring until somebody presses a button here.
function takePhones() {
  return Promise.all(people.map(({number, name}) =>
    ask('PUT', `phones/${encodeURIComponent(number)}`,
        {name, behaviour: 'manual'})));
}

// What callmask told the app since the last time, into the transcript.
function listen() {
  if (asking)
    return;
  asking = true;
  setTimeout(async () => {
    asking = false;
    await post('app/events').catch(() => {});
  }, 200);
}

const aloud = {
  shows: (name, text) => `${name}’s phone rings and shows ${pretty(text)}.`,
  hears: (name, text) => `${name} hears: ${text}`,
  connected: name => `${name} is connected.`,
  declines: name => `${name} declines.`,
  text_received: (name, text) => `${name} reads: ${text}`,
};

// What happened after the page was opened is said; what was before is not.
function take(entries) {
  const fresh = world.entries.length > 0 || entries.length < 5;
  for (const entry of entries) {
    learn(world, entry);
    const who = person(entry.phone);
    if (fresh && who && aloud[entry.kind]) {
      news = aloud[entry.kind](who.name, entry.text);
      if (loud && entry.kind === 'hears')
        speak(entry.text);
    }
  }
  if (entries.some(entry => entry.kind !== 'event'))
    listen();
  if (loud)
    ring(people.some(({id}) => live(world.phones[id].call) &&
                               world.phones[id].call.state === 'incoming'));
  draw();
}

async function begin() {
  world = newWorld();
  await takePhones();
  await post('app/events').catch(() => {});
}

// The app asks its backend. Who rides with whom is the backend's business.
async function app(path, body) {
  const [customer, driver] = people.map(each => each.number);
  await post('app/' + path, path === 'rides' ? {customer, driver} : body || {});
}

async function startOver() {
  for (const {id, number} of people)
    if (live(world.phones[id].call))
      await post(`calls/${world.phones[id].call.sid}/hangup`, {phone: number})
        .catch(() => {});
  if (world.ride && world.ride.open)
    await app(`rides/${world.ride.id}/close`).catch(() => {});
  await post('app/events').catch(() => {});
  await post('reset');
  await takePhones();
  world = newWorld();
  news = '';
  draw();
}

function Story({now}) {
  const {done} = world;
  const current = steps.find(([id]) => !done.has(id));
  return html`<section class="story" aria-labelledby="story-title">
    <h2 id="story-title">The story of a masked call</h2>
    <ol role="list">${steps.map(([id, name], index) => html`
      <li class="${done.has(id) ? 'done' : ''} ${
        current && current[0] === id ? 'current' : ''}"
        aria-current=${current && current[0] === id ? 'step' : undefined}>
        <i aria-hidden="true">${done.has(id) ? '✓' : index + 1}</i>${name}${
        done.has(id) && html`<span class="unseen"> (done)</span>`}</li>`)}
    </ol>
    <p class="now" role="status">${lost
      ? 'The sandbox does not answer. Is “make run” still running?' : now}</p>
    ${!current && html`<ul class="extras" role="list">${extras.map(([id, text]) => html`
      <li class=${done.has(id) ? 'done' : ''}><i aria-hidden="true">${
        done.has(id) ? '✓' : '☆'}</i>${text}${
        done.has(id) && html`<span class="unseen"> (done)</span>`}</li>`)}</ul>`}
  </section>`;
}

function Page() {
  const [count, redraw] = useState(0);
  const [third, setThird] = useState(false);
  const [sound, setSound] = useState(false);
  useEffect(() => {
    draw = () => redraw(n => n + 1);
    follow(begin, take, gone => {
      if (gone !== lost) {
        lost = gone;
        draw();
      }
    });
  }, []);
  const setLoud = event => {
    loud = event.target.checked;
    setSound(loud);
    if (!loud)
      hush();
  };
  const [now, hint] = next(world);
  return html`
    <header>
      <div><h1>Two phones</h1>
      <p>callmask, played on this machine. Nobody’s real phone rings, and nobody
        sees anybody’s number.</p></div>
      <div class="tools">
        <label><input type="checkbox" role="switch" checked=${third}
          onChange=${event => setThird(event.target.checked)} /> Unknown phone</label>
        <label><input type="checkbox" role="switch" checked=${sound}
          onChange=${setLoud} /> Sound</label>
        <button type="button" class="quiet" onClick=${startOver}>Start over</button>
      </div>
    </header>
    <main>
      <${Story} now=${now} />
      <div class="stage ${third ? 'three' : ''}">
        <div class="phones">
          ${people.filter(({id}) => third || id !== 'unknown').map(each => html`
            <${Phone} key=${each.id + world.number} person=${each} world=${world} app=${app}
              hint=${hint} />`)}
        </div>
        <${Wire} world=${world} count=${count} />
      </div>
      <p class="unseen" aria-live="polite">${news}</p>
    </main>`;
}

render(html`<${Page} />`, document.body);
