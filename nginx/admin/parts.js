// What the pages share.

import {html, useEffect, useRef, useState} from './vendor/preact-htm.js';

// What went wrong, in words; nothing if nothing did.
export const Problem = ({error}) =>
  error && html`<p class="problem" role="alert">${error.message}</p>`;

// A moment in the reader's own time.
export const Moment = ({at}) => at
  ? html`<time datetime=${at} title=${at}>${new Date(at).toLocaleString(
      undefined, {dateStyle: 'medium', timeStyle: 'medium'})}</time>`
  : html`<span>–</span>`;

// Loads with `load`, at once and whenever one of `inputs` changes, and again
// every `every` milliseconds while the page is seen. Gives {value, error, again}.
export function useLoaded(load, inputs, every = 0) {
  const [state, setState] = useState({});
  const turn = useRef(0);
  const again = async () => {
    const mine = ++turn.current;
    try {
      const value = await load();
      if (mine === turn.current)
        setState({value});
    } catch (error) {
      if (mine === turn.current)
        setState(was => ({...was, error}));
    }
  };
  useEffect(() => {
    setState({});
    again();
    const timer = every && setInterval(() => {
      if (!document.hidden)
        again();
    }, every);
    return () => {
      clearInterval(timer);
      turn.current++;
    };
  }, inputs);
  return {...state, again};
}
