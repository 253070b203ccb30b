// Counts over time as stacked bars, by uPlot (a script of its own in the page),
// and the same in words: totals that name the colours, and a table.

import {html, useEffect, useRef, useState} from './vendor/preact-htm.js';
import {count, Table} from './parts.js';

const HEIGHT = 150;

const formats = {
  hour: new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'}),
  month: new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'}),
  row: new Intl.DateTimeFormat('en-GB', {
    day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'}),
};
const written = (seconds, format) => formats[format].format(seconds * 1000);

const sum = values => values.reduce((total, value) => total + value, 0);

// What uPlot draws: each bar from the ground to its own upper end, the highest
// first, so that the lower ones cover it.
function stacked({start, step, series}) {
  const rows = [...series].reverse().map((_, place) =>
    series[0].values.map((_, at) => sum(
      series.slice(0, series.length - place).map(({values}) => values[at]))));
  return [series[0].values.map((_, at) => start + at * step), ...rows];
}

function options({span, start, step, series}, width, point) {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--calm'), font: '12px system-ui, sans-serif',
    grid: {stroke: colour('--line'), width: 1},
    ticks: {stroke: colour('--line'), width: 1},
  };
  const last = start + step * series[0].values.length;
  return {
    width, height: HEIGHT,
    legend: {show: false},
    cursor: {y: false, points: {show: false}, drag: {setScale: false}},
    scales: {
      x: {range: () => [start, last]},
      y: {range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))]},
    },
    axes: [
      {...axis, values: (_, splits) => splits.map(split => written(
        split, span === 'month' ? 'month' : 'hour'))},
      {...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000,
        5000, 10000, 50000, 100000, 1000000]},
    ],
    series: [{}, ...[...series].reverse().map(each => ({
      fill: colour(each.colour), width: 0, points: {show: false},
      paths: window.uPlot.paths.bars({size: [0.8, 40], align: 1}),
    }))],
    hooks: {setCursor: [plot => point(plot.cursor.idx ?? null)]},
  };
}

// A chart lives for one span and one width of steps; then comes another.
function Bars({data, point}) {
  const at = useRef();
  const plot = useRef();
  const [scheme, setScheme] = useState(0);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const change = () => setScheme(was => was + 1);
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  }, []);
  useEffect(() => {
    const node = at.current;
    const made = new window.uPlot(
      options(data, node.clientWidth, point), stacked(data), node);
    const watch = new ResizeObserver(() =>
      made.setSize({width: node.clientWidth, height: HEIGHT}));
    plot.current = made;
    watch.observe(node);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [data.span, data.start, scheme]);
  useEffect(() => {
    plot.current.setData(stacked(data));
  }, [JSON.stringify(data.series)]);
  return html`<div class="bars" ref=${at} aria-hidden="true"></div>`;
}

// `series`: [{name, colour, values}], lowest first; `colour` is a variable of the
// style sheet. `start` in seconds, each value for `step` seconds.
export function Chart({title, ...data}) {
  const {span, start, step, series} = data;
  const [shown, setShown] = useState(null);
  const point = place => setShown(place);
  const rows = series[0].values.map((_, place) => place).filter(place =>
    series.some(({values}) => values[place])).reverse();
  return html`
    <figure class="chart">
      <figcaption><strong>${title}</strong>${' '}
        ${series.map(({name, colour, values}) => html`
          <span class=${`swatch ${colour.slice(2)}`}>${count(
            shown === null ? sum(values) : values[shown] || 0)} ${name}</span>${' '}`)}
        <span class="hint">${shown === null ? ''
          : `${written(start + shown * step, 'row')}`}</span>
      </figcaption>
      <${Bars} data=${data} point=${point} />
      <details>
        <summary>${title} as a table</summary>
        <${Table} caption=${`${title}; times in which nothing happened are left out.`}
          rows=${rows} id=${place => place} empty="Nothing happened."
          columns=${[
            {name: 'From', show: place => written(start + place * step, 'row')},
            ...series.map(({name, values}) => ({
              name, kind: 'number', show: place => count(values[place])})),
          ]} />
      </details>
    </figure>`;
}
