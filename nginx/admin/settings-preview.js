// What people hear and read, under the settings as they stand in the form.

import {html, useEffect, useState} from './vendor/preact-htm.js';
import {post} from './api.js';
import {Problem} from './parts.js';

// Somebody who types is not asked after.
const REST_MS = 300;

const canSpeak = 'speechSynthesis' in window;

function speak(sentences, language) {
  speechSynthesis.cancel();
  for (const sentence of sentences) {
    const said = new SpeechSynthesisUtterance(sentence);
    said.lang = language;
    speechSynthesis.speak(said);
  }
}

const Situation = ({it: {title, sentences, twiml}, language}) => html`
  <article>
    <h3>${title}</h3>
    ${sentences.length
      ? sentences.map(sentence => html`<p lang=${language}>${sentence}</p>`)
      : html`<p class="hint">Nothing is said.</p>`}
    <div class="more">
      ${canSpeak && twiml && sentences.length > 0 && html`
        <button class="plain small" type="button"
                onClick=${() => speak(sentences, language)}
          >Listen<span class="unseen"> to: ${title}</span></button>`}
      ${twiml && html`
        <details>
          <summary>TwiML<span class="unseen"> of: ${title}</span></summary>
          <pre tabindex="0">${twiml}</pre>
        </details>`}
    </div>
  </article>`;

export function Preview({changes, language}) {
  const [state, setState] = useState({});
  const asked = JSON.stringify(changes);
  useEffect(() => {
    let over = false;
    const timer = setTimeout(async () => {
      try {
        const {previews} = await post('service/preview', {settings: changes});
        if (!over)
          setState({previews, language});
      } catch (error) {
        if (!over)
          setState(was => ({...was, error}));
      }
    }, state.previews ? REST_MS : 0);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [asked]);
  useEffect(() => () => canSpeak && speechSynthesis.cancel(), []);
  return html`
    <aside class="preview" aria-labelledby="preview-title" tabindex="0">
      <h2 id="preview-title">What people hear</h2>
      <p class="hint">Under the settings as they stand in the form, saved or not.</p>
      ${state.error && html`
        <p class="hint">Not while the form is as it is:</p>
        <${Problem} error=${state.error} />`}
      ${state.previews?.map(each => html`
        <${Situation} key=${each.situation} it=${each} language=${state.language} />`)}
    </aside>`;
}
