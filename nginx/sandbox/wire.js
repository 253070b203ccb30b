// The wire: who asked whom what, in the order it happened. Real numbers stand
// here as names, as they do in callmask's own logs.

import {html, useEffect, useLayoutEffect, useRef} from '/admin/vendor/preact-htm.js';
import {people, person, pretty} from './world.js';

// A text in which real numbers are names and long identifiers are short.
export function redact(text) {
  for (const {number, name} of people)
    for (const plus of ['+', '%2B'])
      text = text.replaceAll(plus + number.slice(1), `‹${name}’s number›`);
  return text.replace(
    /\b(AC|CA|SM|MM|PN|ses_|pty_|cal_|evt_|msg_)[0-9a-z]{18,}([0-9a-z]{4})\b/g,
    '$1…$2');
}

const json = value => redact(JSON.stringify(value, null, 1));

// XML a tag a line, as deep as it stands.
function indented(xml) {
  let depth = 0;
  return redact(xml.replace(/^<\?.*?\?>/, '').replace(/></g, '>\n<')
    .split('\n').map(line => {
      if (line.startsWith('</'))
        depth--;
      const shown = '  '.repeat(Math.max(0, depth)) + line;
      if (/^<[^/!?][^>]*[^/]>$/.test(line))
        depth++;
      return shown;
    }).join('\n').trim());
}

// Fields that say something, a line each.
function fields(pairs) {
  const dull = /^(ApiVersion|AccountSid|Caller|Called|SmsSid|SmsMessageSid|SmsStatus)$/;
  return redact(pairs.filter(([name, value]) => value && !dull.test(name))
    .map(([name, value]) => `${name}=${value}`).join('\n'));
}

// What a document has Twilio do, in a few words.
function told(body) {
  const page = new DOMParser().parseFromString(body, 'text/xml');
  return [...page.querySelectorAll('Response > *')].map(verb => {
    switch (verb.tagName) {
    case 'Dial': {
      const whom = person(verb.textContent.trim());
      return `ring ${whom ? whom.name : 'a phone'}, show ` +
        pretty(verb.getAttribute('callerId'));
    }
    case 'Say':
      return `say “${verb.textContent}”`;
    case 'Gather':
      return `say “${verb.textContent.trim()}” and wait for keys`;
    case 'Message':
      return `text back “${verb.textContent.trim()}”`;
    case 'Hangup':
      return 'hang up';
    case 'Reject':
      return 'reject the call';
    default:
      return verb.tagName.toLowerCase();
    }
  }).join(', then ');
}

function webhook(entry) {
  const {params} = entry, path = new URL(entry.url).pathname;
  const who = person(params.From);
  const asked = {
    '/twilio/voice': `${who ? who.name : 'A hidden number'} calls ` +
      `${pretty(params.To)}. What now?`,
    '/twilio/voice/code': `The caller typed ${params.Digits || 'nothing'}.`,
    '/twilio/voice/ended': 'The other phone is done: ' +
      `${params.DialCallStatus}. What now?`,
    '/twilio/message': `${who ? who.name : 'Somebody'} texts ` +
      `${pretty(params.To)}. What now?`,
  }[path] || (path.includes('/voice/') ? 'What does this phone hear?'
    : `Progress: ${params.MessageStatus || params.CallStatus}`);
  const answer = /xml/.test(entry.content_type) ? told(entry.body) : '';
  return {
    from: 'Twilio', to: 'callmask', line: redact(`POST ${path}`),
    result: entry.status || entry.error, words: asked,
    answer: answer && `→ ${answer}`,
    parts: [['Request, signed by Twilio', fields(Object.entries(params))],
            ['Answer', entry.body && indented(entry.body)]],
  };
}

const explain = {
  app: entry => ({
    from: 'App', to: 'callmask', result: entry.status,
    line: redact(`${entry.method} ${entry.path}`),
    words: entry.path === '/v1/sessions'
      ? 'Carla and Dan must talk: one masked number, please.'
      : entry.path.endsWith('/close') ? 'Their business is done.'
        : 'Call both, this one first.',
    parts: [['Request', json(entry.request)], ['Answer', json(entry.answer)]],
  }),
  rest: entry => ({
    from: 'callmask', to: 'Twilio',
    line: redact(`${entry.method} ${entry.path}`),
    words: entry.path.startsWith('/Calls') ? 'Call this phone.'
      : entry.path.startsWith('/Messages') ? 'Send this text, from the masked number.'
        : '',
    parts: [['Request', fields(entry.fields)]],
  }),
  event: entry => ({
    from: 'callmask', to: 'App', line: entry.text, words: '',
    parts: [['Event', json(entry.event)]],
  }),
  wire: webhook,
};

const said = {
  dials: text => `dials ${pretty(text)}`,
  shows: text => `’s phone rings and shows ${pretty(text)}`,
  answers: () => 'answers',
  declines: () => 'declines',
  hangs_up: () => 'hangs up',
  hears: text => `hears: “${text}”`,
  presses: text => `presses ${text}`,
  connected: () => 'talks now',
  text_sent: text => `texts: “${text}”`,
  text_received: text => `reads: “${text}”`,
  error: text => text,
  warning: text => text,
};

function Deed({entry}) {
  const words = said[entry.kind];
  if (!words)
    return null;
  const who = person(entry.phone);
  const name = who ? who.name : entry.name || 'Twilio';
  const text = words(entry.text);
  return html`<li class="deed ${entry.kind} ${who ? who.id : ''}">
    <b>${name}</b>${text.startsWith('’') ? '' : ' '}${redact(text)}</li>`;
}

function Exchange({entry}) {
  const {from, to, line, result, words, answer, parts} =
    explain[entry.kind](entry);
  return html`<li class="exchange ${entry.kind}">
    <details>
      <summary>
        <span class="route"><b>${from}</b> → <b>${to}</b></span>
        <code>${line}</code>
        ${result && html`<span class="status ${result < 300 ? 'good' : 'bad'}">
          ${result}</span>`}
        ${words && html`<span class="words">${redact(words)}</span>`}
        ${answer && html`<span class="words">${redact(answer)}</span>`}
      </summary>
      ${parts.filter(([, text]) => text).map(([name, text]) => html`
        <p>${name}</p>
        <pre tabindex="0" aria-label=${name}>${text}</pre>`)}
    </details></li>`;
}

export function Wire({world, count}) {
  const list = useRef(), stuck = useRef(true);
  useEffect(() => {
    const box = list.current;
    const note = () => {
      stuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    };
    box.addEventListener('scroll', note);
    return () => box.removeEventListener('scroll', note);
  }, []);
  useLayoutEffect(() => {
    if (stuck.current)
      list.current.scrollTop = list.current.scrollHeight;
  }, [count]);
  const shown = world.entries.slice(-400);
  return html`<section class="wire" aria-labelledby="wire-title">
    <h2 id="wire-title">On the wire</h2>
    <p class="lead">What the app, callmask and Twilio tell each other. Open a
      line to see all of it; real numbers stand here as names only.</p>
    <ol ref=${list} tabindex="0" role="list" aria-label="Messages on the wire">
      ${shown.length === 0 && html`<li class="deed">Nothing yet.</li>`}
      ${shown.map(entry => explain[entry.kind]
        ? html`<${Exchange} key=${entry.n} entry=${entry} />`
        : html`<${Deed} key=${entry.n} entry=${entry} />`)}
    </ol></section>`;
}
