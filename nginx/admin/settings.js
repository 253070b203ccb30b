// The settings of the service, and beside them what people hear under them.

import {html, useEffect, useRef, useState} from './vendor/preact-htm.js';
import {get, patch} from './api.js';
import {Dialog, duration, Loaded, mayChange, Moment, Problem, say, Secret, Table,
  useLoaded} from './parts.js';
import {Preview} from './settings-preview.js';

export const title = 'Settings';

// What belongs together. Settings that are not named here come last.
const groups = {
  'People and countries': ['countries', 'sticky'],
  'Sessions': ['ttl-default', 'ttl-max', 'hold', 'reuse-after', 'expiring-notice'],
  'Calls': ['call-limit', 'language', 'announce-caller', 'announce-callee',
    'screening', 'support-number'],
  'Who may call': ['ask-code', 'attestation', 'intents', 'session-calls',
    'person-calls', 'daily-minutes'],
  'Texts': ['redact', 'keep-texts'],
  'Recording': ['record', 'keep-recordings'],
  'Webhook': ['webhook-url'],
  'Keeping': ['keep'],
};

const labels = {
  'countries': 'Countries',
  'sticky': 'Two people keep their number',
  'ttl-default': 'Life of a session',
  'ttl-max': 'Longest life of a session',
  'hold': 'Number stays held',
  'reuse-after': 'Held numbers may be reused',
  'expiring-notice': 'Notice of a session’s end',
  'call-limit': 'Longest call',
  'language': 'Language',
  'announce-caller': 'Announcement to callers',
  'announce-callee': 'Announcement to callees',
  'screening': 'Callees accept by a key',
  'support-number': 'Support line for late callers',
  'ask-code': 'Unknown callers type a code',
  'attestation': 'Mind failed caller IDs',
  'intents': 'Hidden callers can be announced',
  'session-calls': 'Calls in a session',
  'person-calls': 'Calls of a person a minute',
  'daily-minutes': 'Minutes of talk a day',
  'redact': 'Take contact details out of texts',
  'keep-texts': 'Texts are kept',
  'record': 'Record calls',
  'keep-recordings': 'Recordings are kept',
  'webhook-url': 'Events are sent to',
  'keep': 'Ended sessions are kept',
};

const LANGUAGES = {en: 'English', de: 'German', fr: 'French'};

const label = name => labels[name] || name;
const isSwitch = ({kind, least, most}) => kind === 'number' && !least && most === 1;
const unit = ({help}) => /second/.test(help) ? 'seconds'
  : /^days/.test(help) ? 'days' : '';
const same = (one, other) => (one ?? '') === (other ?? '');

// A value as one reads it; '' if it needs no words.
function inWords(setting, value) {
  if (isSwitch(setting))
    return value ? 'on' : 'off';
  if (setting.kind === 'number' && unit(setting) === 'seconds')
    return value > 0 ? duration(value) : String(value);
  return value === null || value === '' ? 'none'
    : unit(setting) ? `${value} ${unit(setting)}` : String(value);
}

// The settings' places on the page.
function grouped(settings) {
  const named = Object.values(groups).flat();
  const others = settings.filter(({name}) => !named.includes(name));
  return [
    ...Object.entries(groups).map(([name, members]) => [name, members.flatMap(member =>
      settings.filter(setting => setting.name === member))]),
    ['Others', others],
  ].filter(([, members]) => members.length);
}

// --- One setting.

const attributes = {
  number: ({least, most}) =>
    ({type: 'number', min: least, max: most, step: 1, required: true}),
  countries: () => ({required: true, placeholder: 'US,CA', spellcheck: false}),
  phone: () => ({type: 'tel', placeholder: '+1…'}),
  url: () => ({type: 'url', placeholder: 'https://…', maxlength: 255}),
  text: () => ({rows: 2, maxlength: 255}),
};

function Input({setting, value, set, ...rest}) {
  const shared = {...rest, name: setting.name, autocomplete: 'off'};
  const read = event => set(setting.kind === 'number' && event.target.value !== ''
    ? event.target.valueAsNumber : event.target.value);
  if (isSwitch(setting))
    return html`<input type="checkbox" role="switch" ...${shared} checked=${value === 1}
      onChange=${event => set(event.target.checked ? 1 : 0)} />`;
  if (setting.kind === 'language')
    return html`
      <select ...${shared} value=${value} onChange=${read}>
        ${Object.entries(LANGUAGES).map(([code, name]) =>
          html`<option value=${code}>${name}</option>`)}
      </select>`;
  const as = setting.kind === 'text' ? 'textarea' : 'input';
  return html`<${as} ...${shared} ...${attributes[setting.kind]?.(setting)}
    value=${value ?? ''} onInput=${read} />`;
}

const sentence = words => `${words[0].toUpperCase()}${words.slice(1)}.`;

// What the help says, for somebody who has a switch before them and no 1 or 0.
function help(setting) {
  const words = isSwitch(setting)
    ? setting.help.replace(/^1: /, '') : setting.help;
  const normal = `usual: ${inWords(setting, setting.default)}`;
  return sentence(setting.kind === 'countries' ? words : `${words} (${normal})`);
}

function Setting({setting, value, set, wrong, changed}) {
  const id = `setting-${setting.name}`;
  const input = html`
    <${Input} id=${id} setting=${setting} value=${value} set=${set}
      aria-invalid=${wrong ? 'true' : undefined}
      aria-describedby=${`${id}-help${wrong ? ` ${id}-wrong` : ''}`} />`;
  const name = html`${label(setting.name)}
    ${changed && html` <span class="changed">changed</span>`}`;
  return html`
    <div class=${`setting of-${setting.kind}`}>
      ${isSwitch(setting)
        ? html`<label for=${id}>${input} ${name}</label>`
        : html`<label for=${id}>${name}</label>
          <div class="value">${input}
            <span>${unit(setting)}${unit(setting) === 'seconds' && value >= 60
              && ` = ${duration(value)}`}</span>
          </div>`}
      ${wrong && html`<p class="problem" id=${`${id}-wrong`}>${sentence(wrong)}</p>`}
      <small id=${`${id}-help`}>${help(setting)} <code>${setting.name}</code></small>
    </div>`;
}

// --- What is changed and not saved yet. It outlives the page, so that nothing is
// lost by a look at another one.

const kept = {whose: null, changes: {}};

addEventListener('beforeunload', event => {
  if (Object.keys(kept.changes).length)
    event.preventDefault();
});

function useChanges(self, settings) {
  if (kept.whose !== self.id)
    Object.assign(kept, {whose: self.id, changes: {}});
  const [changes, setChanges] = useState(kept.changes);
  const keep = next => {
    kept.changes = next;
    setChanges(next);
  };
  useEffect(() => () => {
    if (Object.keys(kept.changes).length)
      say('Settings are not saved yet: your changes wait on their page.');
  }, []);
  return [changes, (name, value) => {
    const {[name]: _, ...others} = kept.changes;
    const was = settings.find(setting => setting.name === name).value;
    keep(same(was, value) ? others : {...others, [name]: value});
  }, () => keep({})];
}

// As callmask wants them: no text is none.
const outgoing = changes => Object.fromEntries(Object.entries(changes)
  .map(([name, value]) => [name, value === '' ? null : value]));

// --- The page.

const Save = ({changes, busy, error, discard}) => {
  const names = Object.keys(changes);
  return (names.length > 0 || error) && html`
    <div class="save">
      <p role="status">Not saved yet: ${names.map(label).join(', ')}</p>
      <div class="buttons">
        <button type="button" class="plain" onClick=${discard}>Discard</button>
        <button aria-busy=${busy} aria-disabled=${busy}>Save</button>
      </div>
      <${Problem} error=${error} />
    </div>`;
};

const FIELD = 'settings.';

function Settings({self, service, again}) {
  const [changes, change, discard] = useChanges(self, service.settings);
  const [state, setState] = useState({});
  const [secret, setSecret] = useState(null);
  const form = useRef();
  const may = mayChange(self);
  const wrong = state.error?.field?.startsWith(FIELD)
    && state.error.field.slice(FIELD.length);
  useEffect(() => {
    if (wrong)
      form.current.elements[wrong]?.focus();
  }, [state.error]);
  const save = async event => {
    event.preventDefault();
    if (state.busy)
      return;
    setState({busy: true});
    try {
      const answer = await patch('service', {settings: outgoing(changes)});
      await again();
      discard();
      setState({});
      setSecret(answer.webhook_secret);
      say('The settings are saved.');
    } catch (error) {
      setState({error});
    }
  };
  const value = ({name, value: was}) => name in changes ? changes[name] : was;
  const language = value(service.settings.find(({name}) => name === 'language'));
  return html`
    <div class="settings">
      <form ref=${form} onSubmit=${save}>
        <fieldset disabled=${!may}>
          ${grouped(service.settings).map(([name, members]) => html`
            <section aria-label=${name}>
              <h2>${name}</h2>
              ${members.map(setting => html`
                <${Setting} key=${setting.name} setting=${setting}
                  value=${value(setting)} changed=${setting.name in changes}
                  wrong=${setting.name === wrong
                    && state.error.message.slice(state.error.field.length + 1)}
                  set=${next => change(setting.name, next)} />`)}
              ${name === 'Webhook'
                && html`<${Secrets} secrets=${service.webhook_secrets} />`}
            </section>`)}
        </fieldset>
        <${Save} changes=${changes} busy=${state.busy}
          error=${wrong ? new Error(`${label(wrong)}: see there.`) : state.error}
          discard=${() => {
            discard();
            setState({});
          }} />
      </form>
      <${Preview} changes=${outgoing(changes)} language=${language} />
    </div>
    ${secret && html`
      <${Dialog} title="The webhook’s secret" close=${() => setSecret(null)}>
        <p>Events to the new address are signed with it.</p>
        <${Secret} label="Secret" value=${secret} />
      <//>`}`;
}

const Secrets = ({secrets}) => html`
  <${Table} caption="Secrets that events are signed with" rows=${secrets}
    id=${row => row.id} empty="No secret: events are sent nowhere." columns=${[
      {name: 'Secret', show: row => html`<code>${row.id}</code>`},
      {name: 'Made', show: row => html`<${Moment} at=${row.created_at} short />`},
      {name: 'Used', show: row => row.retires_at
        ? html`until <${Moment} at=${row.retires_at} short />` : 'until it is rotated'},
    ]} />
  <p class="hint"><code>callmask webhook rotate</code> makes a new one.</p>`;

export function Page({self}) {
  const loaded = useLoaded(() => get('service'), []);
  return html`
    <h1>Settings</h1>
    <${Loaded} of=${loaded}>${service => html`
      <${Settings} self=${self} service=${service} again=${loaded.again} />`}
    <//>`;
}
