// Adding numbers to the pool: some that are written down, or a file of them.

import {html, useEffect, useRef, useState} from './vendor/preact-htm.js';
import {post} from './api.js';
import {bare, fault, numbersOfCsv, numbersOfText, readText} from './csv.js';
import {Badge, count, Pager, Problem, say, Table} from './parts.js';

// So many are sent at once, and shown on a page of the result.
const PORTION = 100;
const FILE_MOST = 10e6;

const results = {
  added: {kind: 'good', words: 'added'},
  exists: {kind: 'calm', words: 'there already'},
  refused: {kind: 'bad', words: 'refused'},
  left: {kind: 'warn', words: 'not sent'},
};

// What is known of each line before it is sent: only whole and new numbers are.
function check(lines) {
  const seen = new Map();
  return lines.map(({line, text}) => {
    const number = bare(text);
    const wrong = text ? fault(number) : 'there is no number';
    const first = seen.get(number);
    if (!wrong && !first)
      seen.set(number, line);
    return {line, text, number, ...(
      wrong ? {result: 'refused', detail: wrong}
        : first ? {result: 'refused', detail: `is the same as in line ${first}`}
          : {result: 'left', detail: null})};
  });
}

// Sends what is left, a portion after the other, until it is told to stop;
// `tell` gets the rows as they are by then.
async function send(rows, tell, stopped) {
  const left = rows.filter(row => row.result === 'left');
  for (let at = 0; at < left.length && !stopped(); at += PORTION) {
    const portion = left.slice(at, at + PORTION);
    const answer = await post('numbers', {numbers: portion.map(row => row.number)});
    // In the order they were sent: a refused number is not told again.
    answer.results.forEach(({result, detail}, place) =>
      Object.assign(portion[place], {result, detail}));
    tell([...rows]);
  }
}

const tally = rows => Object.entries(results)
  .map(([name, {words}]) => [rows.filter(row => row.result === name).length, words])
  .filter(([number]) => number).map(([number, words]) => `${count(number)} ${words}`)
  .join(', ');

// What came of each line; what needs looking at comes first.
function Results({rows}) {
  const [which, setWhich] = useState('');
  const [page, setPage] = useState(0);
  const order = ['refused', 'left', 'exists', 'added'];
  const wanted = rows.filter(row => !which || row.result === which)
    .sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  const pages = {
    page: page + 1,
    previous: page > 0 ? () => setPage(page - 1) : null,
    next: wanted.length > (page + 1) * PORTION ? () => setPage(page + 1) : null,
  };
  return html`
    <div class="filters">
      <label>Show
        <select value=${which} onChange=${event => {
          setWhich(event.target.value);
          setPage(0);
        }}>
          <option value="">all lines</option>
          ${order.filter(name => rows.some(row => row.result === name)).map(name => html`
            <option value=${name}>${results[name].words}</option>`)}
        </select>
      </label>
    </div>
    <${Table} caption="What came of each line" hidden id=${row => row.key}
      rows=${wanted.slice(page * PORTION, (page + 1) * PORTION)} empty="No such lines."
      columns=${[
        {name: 'Line', show: row => count(row.line)},
        {name: 'Number', show: row => row.text},
        {name: 'Result', show: row => html`
          <${Badge} kind=${results[row.result].kind}>${results[row.result].words}<//>`},
        {name: 'Why', show: row => row.detail},
      ]} />
    <${Pager} of=${pages} />`;
}

// Nobody leaves by accident while numbers are being sent.
function useGuard(on) {
  useEffect(() => {
    const guard = event => event.preventDefault();
    if (on)
      addEventListener('beforeunload', guard);
    return () => removeEventListener('beforeunload', guard);
  }, [on]);
}

function Sending({lines, over}) {
  const [rows, setRows] = useState(() =>
    check(lines).map((row, key) => ({...row, key})));
  const [state, setState] = useState('going');
  const [error, setError] = useState(null);
  const stop = useRef(false);
  const left = rows.filter(row => row.result === 'left').length;
  useGuard(state === 'going');
  const start = async () => {
    stop.current = false;
    setError(null);
    setState('going');
    try {
      await send(rows, setRows, () => stop.current);
    } catch (problem) {
      setError(problem);
    }
    setState('ended');
  };
  useEffect(() => {
    start();
    return () => {
      stop.current = true;
    };
  }, []);
  return html`
    <section class="sending" aria-label="Result">
      ${state === 'going' && html`
        <label>${count(rows.length - left)} of ${count(rows.length)} lines
          <progress value=${rows.length - left} max=${rows.length} />
        </label>
        <button class="plain" onClick=${() => {
          stop.current = true;
        }}>Stop</button>`}
      <p role="status">${state === 'ended'
        && `${left ? 'Stopped' : 'Done'}: ${tally(rows)}.`}</p>
      <${Problem} error=${error} />
      ${state === 'ended' && html`
        <div class="buttons begin">
          ${left > 0 && html`<button onClick=${start}>Go on</button>`}
          <button class=${left ? 'plain' : ''} onClick=${over}>Add more</button>
          <a role="button" class="plain" href="#/numbers">To the numbers</a>
        </div>
        ${rows.some(row => row.result === 'added') && html`
          <p class="hint">Nobody reaches a new number before it is set at Twilio: see
            “Set all at Twilio…” at the numbers.</p>`}`}
      <${Results} rows=${rows} />
    </section>`;
}

const ofFile = async file => {
  if (file.size > FILE_MOST)
    throw new Error('This file is larger than 10 MB.');
  return numbersOfCsv(await readText(file));
};

export function Add() {
  const [lines, setLines] = useState(null);
  const [error, setError] = useState(null);
  const submit = async event => {
    event.preventDefault();
    const values = new FormData(event.target);
    try {
      const file = values.get('file');
      const found = file && file.name
        ? await ofFile(file) : numbersOfText(values.get('text'));
      if (!found.length)
        throw new Error('There is no number to add.');
      setError(null);
      setLines(found);
    } catch (problem) {
      setError(problem);
    }
  };
  return html`
    <p><a href="#/numbers">All numbers</a></p>
    <h1>Add numbers</h1>
    ${lines
      ? html`<${Sending} lines=${lines} over=${() => setLines(null)} />`
      : html`
        <form class="narrow" onSubmit=${submit}>
          <div class="field">
            <label for="add-text">Numbers</label>
            <textarea id="add-text" name="text" rows="6" spellcheck="false"
              placeholder="+1 202 555 0110" aria-describedby="add-text-help" />
            <small id="add-text-help">One on a line, each with + and its country code.
              They must be in your Twilio account: nothing is bought here.</small>
          </div>
          <div class="field">
            <label for="add-file">or a CSV file</label>
            <input id="add-file" name="file" type="file" aria-describedby="add-file-help"
                   accept=".csv,.tsv,.txt,text/csv,text/plain" />
            <small id="add-file-help">Taken is the column called “number” or “phone”,
              else the first with phone numbers. A file goes before what is written
              above.</small>
          </div>
          <${Problem} error=${error} />
          <div class="buttons"><button>Add</button></div>
        </form>`}`;
}
