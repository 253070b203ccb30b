// What the pages share. How each part is used:
//
//   useLoaded(load, inputs, every)  {value, error, loading, again}: what load()
//       brings, again when an input changes and every so many milliseconds while
//       the page is seen. `await again()` after a change of one's own. What was
//       loaded stays until the new is there; give a component that is about
//       something else another `key`.
//   usePages(load, inputs, every)   the same of a list that comes by pages:
//       load(query) gets "limit=50&cursor=…", to be put behind a path.
//   <${Loaded} of=${loaded}>${value => html`…`}<//>  shows it once it is there, a
//       problem above it if it cannot be had (any more).
//   <${Pager} of=${pages} />        previous and next, for usePages().
//   <${Table} caption="Keys" rows=${list} id=${row => row.id} empty="No keys."
//       columns=${[{name: 'Key', show: row => row.name}, …]} />
//       The first column names the row. A column may have `kind: 'number'` (to
//       the right) or 'act' (buttons; its name is for screen readers). On narrow
//       screens each row is a block. `hidden` keeps the caption from sight.
//   <${Form} button="Save" act=${async values => …}>fields<//>  calls act with
//       the values by name; shows that it works and what went wrong; `danger`
//       for what cannot be undone, `cancel` for a second button.
//   <${Field} label="Name" name="name" help="…" …attributes />  an input, or
//       with as="select" or as="textarea" that; marked if a refusal names it.
//   <${Dialog} title="Close it?" close=${…}>words of what happens<//>
//       Alone it has a button to close it. With `act`, `button`, `danger` it is
//       a Form and closes when act is through.
//   say('Session closed.')          tells what was done, seen and heard anywhere.
//   <${Badge} kind="good">open<//>  a state: good, calm, warn, bad.
//   <${Problem} error=${error} />   what went wrong, in words.
//   <${Moment} at="2026-…Z" />      in the reader's time; `short`: today's without
//       the date, `seconds`: to the second.
//   count(1234), duration(75), phone('+1202…'), ago('2026-…Z')   as text; dialled(
//       '+1 (202) 555…') is what a person typed as E.164.
//   mayChange(self)                 whether to show buttons that change something.

import {createContext, html, useContext, useEffect, useRef, useState}
  from './vendor/preact-htm.js';

// --- Words.

const LANGUAGE = 'en-GB';
const numbers = new Intl.NumberFormat(LANGUAGE);
const moments = {};

// One formatter for each kind of time: to make one is slow.
const formatted = (date, name, options) =>
  (moments[name] ||= new Intl.DateTimeFormat(LANGUAGE, options)).format(date);

export const count = number => numbers.format(number);

// Seconds in the two largest units: "1 h 5 min".
export function duration(seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let left = Math.max(0, Math.round(seconds));
  const first = units.findIndex(([, size]) => left >= size);
  if (first < 0)
    return '0 s';
  const words = [];
  for (const [name, size] of units.slice(first, first + 2)) {
    if (left >= size)
      words.push(`${Math.floor(left / size)} ${name}`);
    left %= size;
  }
  return words.join(' ');
}

// How long ago, or in how long.
export function ago(at, now = Date.now()) {
  const seconds = (now - new Date(at)) / 1000;
  return Math.abs(seconds) < 1 ? 'now'
    : seconds < 0 ? `in ${duration(-seconds)}` : `${duration(seconds)} ago`;
}

// E.164 with blanks where North Americans put them.
export const phone = number => number &&
  number.replace(/^(\+1)(\d{3})(\d{3})(\d{4})$/, '$1 $2 $3 $4');

export const dialled = text => text.replace(/[\s().-]/g, '');

export const Moment = ({at, short, seconds}) => {
  if (!at)
    return html`<span>–</span>`;
  const date = new Date(at);
  const bare = short && date.toDateString() === new Date().toDateString();
  const text = formatted(date, `${bare}${seconds}`, {
    ...(bare ? {} : {day: 'numeric', month: 'short', year: 'numeric'}),
    hour: '2-digit', minute: '2-digit',
    ...(seconds ? {second: '2-digit'} : {}),
  });
  return html`<time datetime=${at} title=${at}>${text}</time>`;
};

export const mayChange = self => self.role !== 'viewer';

// --- What is there, and what went wrong.

export const Problem = ({error}) =>
  error && html`<p class="problem" role="alert">${error.message}</p>`;

export const Badge = ({kind = 'calm', children}) =>
  html`<span class=${`badge ${kind}`}>${children}</span>`;

export function useLoaded(load, inputs, every = 0) {
  const [state, setState] = useState({loading: true});
  const turn = useRef(0);
  const again = async () => {
    const mine = ++turn.current;
    try {
      const value = await load();
      if (mine === turn.current)
        setState({value});
    } catch (error) {
      if (mine === turn.current)
        setState(was => ({value: was.loading ? undefined : was.value, error}));
    }
  };
  useEffect(() => {
    setState(was => ({value: was.value, loading: true}));
    again();
    const refresh = () => document.hidden || again();
    const timer = every && setInterval(refresh, every);
    if (every)
      document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
      turn.current++;
    };
  }, inputs);
  return {...state, again};
}

export function usePages(load, inputs, every = 0) {
  // The cursors of the pages up to this one; other inputs begin anew.
  const key = JSON.stringify(inputs);
  const [at, setAt] = useState({key, cursors: ['']});
  const cursors = at.key === key ? at.cursors : [''];
  const cursor = cursors[cursors.length - 1];
  const query = 'limit=50' + (cursor && `&cursor=${encodeURIComponent(cursor)}`);
  const loaded = useLoaded(() => load(query), [key, cursor], every);
  return {
    ...loaded,
    page: cursors.length,
    next: loaded.value?.next
      ? () => setAt({key, cursors: [...cursors, String(loaded.value.next)]})
      : null,
    previous: cursors.length > 1
      ? () => setAt({key, cursors: cursors.slice(0, -1)}) : null,
  };
}

export const Loaded = ({of: {value, error, loading}, children: show}) => html`
  <div class="loaded" aria-busy=${value === undefined && !error ? 'true' : undefined}
       data-old=${loading || error ? '' : undefined}>
    <${Problem} error=${error} />
    ${value !== undefined && show(value)}
  </div>`;

export const Pager = ({of: {page, next, previous, loading}}) =>
  (next || previous) && html`
    <nav class="pager" aria-label="Pages of the list">
      <button class="plain" disabled=${!previous || loading}
              onClick=${previous}>Previous</button>
      <span>Page ${page}</span>
      <button class="plain" disabled=${!next || loading}
              onClick=${next}>Next</button>
    </nav>`;

// The roles are said although they are a table's own: where rows are shown as
// blocks, browsers take them for no table any more.
export const Table = ({caption, hidden, columns, rows, id, empty}) =>
  rows.length ? html`
    <table role="table">
      <caption class=${hidden ? 'unseen' : ''}>${caption}</caption>
      <thead role="rowgroup"><tr role="row">${columns.map(({name, kind}) => html`
        <th scope="col" role="columnheader" class=${kind}>${kind === 'act'
          ? html`<span class="unseen">${name}</span>` : name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${rows.map(row => html`
        <tr role="row" key=${id(row)}>${columns.map(({name, kind, show}, place) =>
          place
            ? html`<td role="cell" class=${kind} data-name=${kind === 'act' ? '' : name}
                   >${show(row)}</td>`
            : html`<th scope="row" role="rowheader" class=${kind}>${show(row)}</th>`)}
        </tr>`)}
      </tbody>
    </table>`
    : html`<p class="empty">${empty}</p>`;

// --- What is asked and done.

let ids = 0;
const useId = () => useState(() => `part-${++ids}`)[0];

const Wrong = createContext(null);

export function Form({act, button, danger, cancel, children}) {
  const [state, setState] = useState({});
  const gone = useRef(false);
  useEffect(() => () => {
    gone.current = true;
  }, []);
  const submit = async event => {
    event.preventDefault();
    if (state.busy)
      return;
    const form = event.target;
    setState({busy: true});
    try {
      await act(Object.fromEntries(new FormData(form)), form);
      if (!gone.current)
        setState({});
    } catch (error) {
      if (!gone.current)
        setState({error});
    }
  };
  return html`
    <form onSubmit=${submit}>
      <${Wrong.Provider} value=${state.error}>${children}<//>
      <${Problem} error=${state.error} />
      <div class="buttons">
        ${cancel && html`
          <button type="button" class="plain" onClick=${cancel}>Cancel</button>`}
        <button class=${danger ? 'danger' : ''} aria-disabled=${state.busy}
                aria-busy=${state.busy}>${button}</button>
      </div>
    </form>`;
}

export function Field({label, name, help, as = 'input', children, ...rest}) {
  const id = useId();
  const error = useContext(Wrong);
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <${as} id=${id} name=${name} ...${rest}
        aria-describedby=${help ? `${id}-help` : undefined}
        aria-invalid=${error && error.field === name ? 'true' : undefined}
      >${children}<//>
      ${help && html`<small id=${`${id}-help`}>${help}</small>`}
    </div>`;
}

export function Dialog({title, close, act, button, danger, children}) {
  const dialog = useRef();
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const node = dialog.current;
    node.showModal();
    return () => {
      node.close();
      // What was pressed may be gone by what it did.
      (opener.isConnected ? opener : document.getElementById('main')).focus();
    };
  }, []);
  return html`
    <dialog ref=${dialog} aria-labelledby=${id} onCancel=${event => {
      event.preventDefault();
      close();
    }}>
      <article>
        <h2 id=${id}>${title}</h2>
        ${act
          ? html`<${Form} act=${async (values, form) => {
              await act(values, form);
              close();
            }} button=${button} danger=${danger} cancel=${close}>${children}<//>`
          : html`${children}
            <div class="buttons"><button onClick=${close}>Close</button></div>`}
      </article>
    </dialog>`;
}

// --- What was done.

let tell = () => {};

export const say = words => tell(words);

// Where it is told; the shell has the one.
export function Notices() {
  const [notice, setNotice] = useState(null);
  useEffect(() => {
    tell = words => setNotice({words});
  }, []);
  useEffect(() => {
    const timer = notice && setTimeout(() => setNotice(null), 15000);
    return () => clearTimeout(timer);
  }, [notice]);
  return html`
    <div class="notices" role="status">
      ${notice && html`<p>${notice.words}
        <button class="plain" onClick=${() => setNotice(null)}>Dismiss</button></p>`}
    </div>`;
}

// --- A secret that is shown once, with the way to copy it.

export function Secret({label, value}) {
  const [copied, setCopied] = useState(null);
  const field = useRef();
  const copy = async () => {
    field.current.select();
    const done = await navigator.clipboard.writeText(value)
      .then(() => true, () => document.execCommand('copy'));
    setCopied(done ? 'Copied.' : 'It is marked: copy it by the keyboard.');
  };
  return html`
    <p>Keep it now: it is not shown again. Only a mark of it is stored.</p>
    <div class="secret">
      <label>${label}
        <input ref=${field} readonly value=${value} spellcheck="false" />
      </label>
      <button class="plain" type="button" onClick=${copy}>Copy</button>
    </div>
    <p role="status">${copied}</p>`;
}
