// What happened in a session, told as one line: its calls, texts and recordings,
// each with the events that told the app of it, and the events that stand alone.

import {html} from './vendor/preact-htm.js';
import {Badge, duration, Moment} from './parts.js';
import {CALL_STATUS, DELIVERY_STATE, EVENTS, MESSAGE_STATUS, REASONS,
        RECORDING_STATUS, reason} from './words.js';

const capital = words => words[0].toUpperCase() + words.slice(1);
const the = role => `the ${role}`;
const between = (from, to) => (new Date(to) - new Date(from)) / 1000;

const CONNECTED = ['connected', 'connected_by_code', 'connected_by_intent'];

function call(each, session) {
  const other = session.parties.find(({role}) => role !== each.from)?.role;
  const refused = each.reason && !CONNECTED.includes(each.reason);
  const said = [];
  if (each.reason && each.reason !== 'connected')
    said.push(reason(each.reason));
  if (each.ringing_at && !refused) {
    const until = each.answered_at || each.ended_at;
    said.push(until ? `Rang for ${duration(between(each.ringing_at, until))}.`
      : 'The phone rings.');
  }
  if (each.answered_at)
    said.push(each.ended_at ? `Talked for ${duration(each.duration)}.`
      : 'They are talking.');
  return {
    at: each.started_at,
    title: !each.from ? 'Somebody unknown called'
      : each.placed ? `A call for the app: ${the(each.from)}, then ${the(other)}`
        : `${capital(the(each.from))} called ${the(other)}`,
    state: refused ? ['refused', 'bad'] : CALL_STATUS[each.status],
    said,
  };
}

function text(each) {
  const from = each.from ? capital(the(each.from))
    : each.reason === 'from_app' ? 'The app' : 'Somebody unknown';
  const said = [];
  if (!['relayed', 'from_app'].includes(each.reason))
    said.push(reason(each.reason));
  if (each.error)
    said.push(`Twilio’s error ${each.error}.`);
  if (each.media)
    said.push(`With ${each.media} of pictures and the like.`);
  return {
    at: each.created_at,
    title: `${from} texted${each.to ? ` ${the(each.to)}` : ''}`,
    state: MESSAGE_STATUS[each.status],
    said,
  };
}

const recording = each => ({
  at: each.created_at,
  title: 'The call was recorded',
  state: RECORDING_STATUS[each.status],
  said: each.duration === null ? [] : [`${duration(each.duration)} of sound.`],
});

// An event that is about no call, text or recording.
const lone = ({type, timestamp, data: {detail}}) => ({
  at: timestamp,
  title: EVENTS[type] || type,
  said: detail === 'lingering' ? ['It goes on connecting for a while.']
    : detail ? [capital(REASONS[detail] || `${detail}.`)] : [],
});

// What happened, oldest first. If there are more events than these, what came
// after the last of them is left out.
export function timeline(session, events, more) {
  const told = {};
  const items = [];
  for (const event of events) {
    const {recording_id, message_id, call_id, seq} = event.data;
    (told[recording_id || message_id || call_id || seq] ||= []).push(event);
  }
  const add = (list, tell) => {
    for (const each of list) {
      items.push({key: each.id, told: told[each.id] || [], ...tell(each, session)});
      delete told[each.id];
    }
  };
  add(session.calls, call);
  add(session.messages, text);
  add(session.recordings, recording);
  for (const list of Object.values(told))
    for (const event of list)
      items.push({key: event.id, told: [event], ...lone(event)});
  const last = more ? new Date(events[events.length - 1].timestamp) : Infinity;
  const first = item => item.told[0]?.data.seq ?? Infinity;
  return items.filter(({at}) => new Date(at) <= last).sort((one, other) =>
    new Date(one.at) - new Date(other.at) || first(one) - first(other) || 0);
}

const Told = ({event: {type, delivery}}) => {
  const [words, kind] = DELIVERY_STATE[delivery.state];
  const tries = delivery.state === 'done' ? ''
    : ` after ${delivery.attempts} ${delivery.attempts === 1 ? 'try' : 'tries'}`;
  return html`
    <li class=${kind}><code>${type}</code>${' '}
      <a href=${`#/deliveries/${delivery.id}`}>${words}${tries}</a></li>`;
};

export const Timeline = ({items}) => html`
  <ol class="timeline">${items.map(({key, at, title, state, said, told}) => {
    const delivered = told.filter(({delivery}) => delivery);
    return html`
      <li key=${key}>
        <${Moment} at=${at} short=${true} seconds=${true} />
        <div>
          <p><strong>${title}</strong>${' '}
            ${state && html`<${Badge} kind=${state[1]}>${state[0]}<//>`}${' '}
            ${said.join(' ')}</p>
          ${delivered.length > 0 && html`
            <ul class="told" aria-label="Told the app">${delivered.map(event =>
              html`<${Told} key=${event.id} event=${event} />`)}</ul>`}
        </div>
      </li>`;
  })}</ol>`;
