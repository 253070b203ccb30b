// One phone: its app, keypad and texts, and a call when there is one.

import {html, useEffect, useLayoutEffect, useRef, useState}
  from '/admin/vendor/preact-htm.js';
import {post} from './api.js';
import {live, pretty} from './world.js';

const KEYS = [['1', ''], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'],
              ['6', 'MNO'], ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
              ['*', ''], ['0', '+'], ['#', '']];

const clock = seconds =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

function Keys({press, label}) {
  return html`<fieldset class="keys"><legend class="unseen">${label}</legend>
    ${KEYS.map(([key, letters]) => html`
      <button type="button" class="key" onClick=${() => press(key)}
        aria-label=${{'*': 'star', '#': 'hash'}[key] || key}>
        ${key}<small aria-hidden="true">${letters}</small></button>`)}
  </fieldset>`;
}

// The number as callmask takes it: "202 555 0199" was typed without +1.
function dialled(text) {
  const digits = text.replace(/[^0-9+]/g, '');
  return digits.startsWith('+') ? digits
    : digits.length === 10 ? '+1' + digits : '+' + digits;
}

function Timer({since}) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  return clock(Math.max(0, Math.round((Date.now() - since) / 1000)));
}

function Heard({call, name}) {
  const box = useRef();
  useLayoutEffect(() => {
    box.current.scrollTop = box.current.scrollHeight;
  }, [call.heard.length]);
  return html`<div class="heard" ref=${box} tabindex="0" role="region"
      aria-label="What ${name} hears">
    ${call.heard.map(text => text.startsWith('[')
      ? html`<p><em>${text.slice(1, -1)}</em></p>` : html`<p>“${text}”</p>`)}
  </div>`;
}

const ENDED = {busy: 'Busy', 'no-answer': 'No answer', failed: 'Call failed',
               canceled: 'Canceled'};

// A call that is over: what it was, and what was heard.
function Last({call, close}) {
  const missed = call.incoming && call.status !== 'completed';
  return html`<div class="last">
    <p><b>${missed ? 'Missed call' : ENDED[call.status] || 'Call ended'}</b>
      <span>${missed ? pretty(call.number)
        : call.since ? clock(call.seconds) : ''}</span>
      <button type="button" class="close" aria-label="Dismiss"
        onClick=${close}>×</button></p>
    ${call.heard.map(text => html`<blockquote>${
      text.startsWith('[') ? text.slice(1, -1) : `“${text}”`}</blockquote>`)}
  </div>`;
}

function Incoming({call, act, glow}) {
  return html`<div class="call incoming">
    <div class="avatar" aria-hidden="true">☎</div>
    <p class="status">Incoming call</p>
    <p class="number">${pretty(call.number)}</p>
    <p class="hint">All the caller ID there is: the masked number.</p>
    <div class="buttons">
      <button type="button" class="red" onClick=${() => act('decline')}>
        Decline</button>
      <button type="button" class="green ${glow('answer')}"
        onClick=${() => act('answer')}>Answer</button>
    </div>
    <p class="hint">… or let it ring out</p>
  </div>`;
}

function InCall({call, name, act, press, glow}) {
  const talking = call.state === 'talking';
  return html`<div class="call">
    <p class="status">${talking
      ? html`Talking <span class="timer"><${Timer} since=${call.since} /></span>`
      : call.state === 'dialing' ? html`Calling<i class="dots" aria-hidden="true"></i>`
        : 'Connected'}</p>
    <p class="number">${pretty(call.number)}</p>
    ${talking && html`<div class="wave" aria-hidden="true">
      <i></i><i></i><i></i><i></i><i></i><i></i><i></i></div>
      ${!call.heard.length && html`<p class="hint">You hear each other. This is
        the only number either of you sees.</p>`}`}
    <${Heard} call=${call} name=${name} />
    ${call.state !== 'dialing' && html`
      <p class="typed"><span class="unseen">Keys pressed: </span>${call.typed || ' '}</p>
      <${Keys} label="Keys of this call" press=${press} />`}
    <button type="button" class="red wide ${glow('hangup')}"
      onClick=${() => act('hangup')}>Hang up</button>
  </div>`;
}

function Keypad({ride, dial, role}) {
  const [number, setNumber] = useState('');
  const [hidden, setHidden] = useState(false);
  const masked = ride && (ride.parties[role] || ride.parties.customer)
    .masked_number;
  const go = event => {
    event.preventDefault();
    dial({to: dialled(number), withheld: hidden});
  };
  return html`<form class="keypad" onSubmit=${go}>
    <input type="tel" value=${number} aria-label="Number to call"
      placeholder="Number" autocomplete="off" maxlength="20"
      onInput=${event => setNumber(event.target.value)} />
    <${Keys} label="Keypad"
      press=${key => setNumber(text => (text + key).slice(0, 20))} />
    ${masked && html`<button type="button" class="quiet"
      onClick=${() => setNumber(pretty(masked))}>
      Fill in ${pretty(masked)}</button>`}
    <label><input type="checkbox" role="switch" checked=${hidden}
      onChange=${event => setHidden(event.target.checked)} /> Hide my number</label>
    <button type="submit" class="green wide" disabled=${!/\d/.test(number)}>
      Call</button>
  </form>`;
}

function Texts({phone, name, ride, role, send, glow}) {
  const [body, setBody] = useState('');
  const box = useRef();
  const to = ride && (ride.parties[role] || ride.parties.customer).masked_number;
  useLayoutEffect(() => {
    box.current.scrollTop = box.current.scrollHeight;
  }, [phone.texts.length]);
  const go = async event => {
    event.preventDefault();
    if (body.trim() && await send(to, body.trim()))
      setBody('');
  };
  return html`<form class="texts" onSubmit=${go}>
    <p class="with">${to ? pretty(to) : 'No number to text yet'}</p>
    <div class="bubbles" ref=${box} tabindex="0" role="region"
        aria-label="${name}’s texts">
      ${phone.texts.map(text => html`<p key=${text.n}
        class=${text.mine ? 'mine' : 'theirs'}>${!text.mine &&
          html`<small>${pretty(text.from)}</small>`}${text.body}</p>`)}
    </div>
    <div class="write">
      <input type="text" value=${body} aria-label="Text to send" maxlength="300"
        placeholder=${to ? 'I am at the door' : ''} autocomplete="off"
        onInput=${event => setBody(event.target.value)} />
      <button type="submit" class=${glow('text')} disabled=${!to}>Send</button>
    </div></form>`;
}

const Trip = ({to}) => html`<div class="map" aria-hidden="true">
  <i class="road"></i><i class="a"></i><i class="b"></i><i class="car"></i>
  <span>${to}</span></div>`;

function App({person, ride, dial, app, show, glow}) {
  const open = ride && ride.open, customer = person.id === 'customer';
  const me = ride && ride.parties[person.role];
  return html`<div class="app">
    <${Trip} to="Station → Airport" />
    ${!ride && (customer ? html`
      <p class="big">Where to, Carla?</p>
      <p>Dan is around the corner. His number stays his, yours stays yours.</p>`
      : html`<p class="big">Waiting for a booking</p>
      <p>When Carla books, this app tells you what number to call.</p>`)}
    ${ride && html`
      <p class="big">${!open ? 'Trip ended' : customer
        ? 'Dan is on his way' : 'Pick up Carla'}</p>
      <p class="mask"><span>${open ? `${person.other}’s number for this trip`
        : 'The number of that trip'}</span>
        <b>${pretty(me.masked_number)}</b></p>
      <div class="buttons">
        <button type="button" class="green ${glow('call')}" onClick=${() => dial({
          to: me.masked_number, digits: me.code ? `${me.code}#` : undefined})}>
          Call ${person.other}</button>
        <button type="button" class="quiet ${glow('text')}"
          onClick=${() => show('texts')}>Text</button>
      </div>`}
    ${open && html`
      <button type="button" class="quiet wide" onClick=${() =>
        app(`rides/${ride.id}/calls`, {from: person.role})}>Call me first</button>
      <p class="code">Calling from another phone, or with your number hidden? Your
        code is <b>${me.code}</b>.</p>`}
    ${customer && !open && html`
      <button type="button" class="wide ${glow('book')}"
        onClick=${() => app('rides')}>${ride ? 'Book another ride'
          : 'Book a ride'}</button>`}
    ${!customer && open && html`
      <button type="button" class="wide ${glow('end')}"
        onClick=${() => app(`rides/${ride.id}/close`)}>End the trip</button>`}
  </div>`;
}

const TABS = [['app', 'App', '◉'], ['keypad', 'Keypad', '⌨'],
              ['texts', 'Texts', '✉']];

export function Phone({person, world, app, hint}) {
  const phone = world.phones[person.id], {call} = phone, {ride} = world;
  const [tab, show] = useState(person.role ? 'app' : 'keypad');
  const [trouble, setTrouble] = useState('');
  const [closed, close] = useState(null);
  const frame = useRef(), inside = useRef(false);
  const mode = live(call) ? call.state : 'home';
  const glow = name => hint === `${person.id}:${name}` ? 'next' : '';
  const texts = phone.texts.length;
  const newest = phone.texts[texts - 1];

  // Who had pressed a button that is gone goes on in this phone.
  useEffect(() => {
    if (inside.current && document.activeElement === document.body)
      frame.current.focus();
    if (mode === 'incoming')
      frame.current.scrollIntoView({block: 'nearest', inline: 'center'});
  }, [mode]);
  useEffect(() => {
    if (newest && newest.at > performance.timeOrigin)
      show('texts');
  }, [texts]);

  const attempt = async deed => {
    setTrouble('');
    try {
      await deed();
      return true;
    } catch (error) {
      setTrouble(error.message);
      return false;
    }
  };
  const dial = wish => attempt(() => {
    close(null);
    return post('calls', {from: person.number, wait: false, ...wish});
  });
  const act = deed => attempt(() =>
    post(`calls/${call.sid}/${deed}`, {phone: person.number}));
  const press = digits => attempt(() =>
    post(`calls/${call.sid}/digits`, {phone: person.number, digits}));
  const send = (to, body) => attempt(() =>
    post('messages', {from: person.number, to, body}));
  const ask = (path, body) => attempt(() => app(path, body));
  const tabs = TABS.filter(([id]) => person.role || id !== 'app');

  return html`<section class="phone ${person.id} ${mode}"
      aria-labelledby="${person.id}-title">
    <h2 id="${person.id}-title">${person.title}</h2>
    <p class="real">real number ${pretty(person.number)}</p>
    <div class="frame" ref=${frame} tabindex="-1"
        onFocusIn=${() => { inside.current = true; }}
        onFocusOut=${event => {
          inside.current = !event.relatedTarget; }}>
      <div class="bar" aria-hidden="true"><span>${
        new Date().toTimeString().slice(0, 5)}</span><i></i><span>▂▄▆</span></div>
      <div class="screen">
        ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
        ${mode === 'incoming'
          ? html`<${Incoming} call=${call} act=${act} glow=${glow} />`
          : mode !== 'home'
            ? html`<${InCall} call=${call} name=${person.name} act=${act} press=${press} glow=${glow} />`
            : html`
        ${call && call.leg !== closed && html`
          <${Last} call=${call} close=${() => close(call.leg)} />`}
        ${tab === 'app' && html`<${App} person=${person} ride=${ride} dial=${dial}
          app=${ask} show=${show} glow=${glow} />`}
        ${tab === 'keypad' && html`<${Keypad} ride=${ride} dial=${dial}
          role=${person.role} />`}
        ${tab === 'texts' && html`<${Texts} phone=${phone} name=${person.name} ride=${ride} send=${send}
          role=${person.role} glow=${glow} />`}
        <nav aria-label="${person.name}’s phone">
          ${tabs.map(([id, name, sign]) => html`<button type="button"
            aria-pressed=${tab === id ? 'true' : 'false'} onClick=${() => show(id)}>
            <i aria-hidden="true">${sign}</i>${name}</button>`)}
        </nav>`}
      </div>
    </div>
  </section>`;
}
