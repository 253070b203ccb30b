// What people hear and read, under the settings as they stand in the form.

import {html, useEffect, useState} from './vendor/preact-htm.js';
import {post} from './api.js';

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

const spoken = ({twiml}) => /<Say/.test(twiml);

const Situation = ({it, language}) => html`
  <article>
    <h4>${it.title}</h4>
    ${it.sentences.length
      ? it.sentences.map(sentence => html`<p lang=${language}>${sentence}</p>`)
      : html`<p class="hint">Nothing.</p>`}
    <div class="more">
      ${canSpeak && spoken(it) && html`
        <button class="plain small" type="button"
                onClick=${() => speak(it.sentences, language)}
          >Listen<span class="unseen"> to: ${it.title}</span></button>`}
      <details>
        <summary>TwiML<span class="unseen"> for: ${it.title}</span></summary>
        <pre tabindex="0">${it.twiml.trim().replace(/></g, '>\n<')}</pre>
      </details>
    </div>
  </article>`;

const isText = ({situation}) => situation.startsWith('text_');

const Situations = ({name, previews, language}) => html`
  <section aria-label=${name}>
    <h3>${name}</h3>
    ${previews.map(each => html`
      <${Situation} key=${each.situation} it=${each} language=${language} />`)}
  </section>`;

// The form says which setting it is about.
const inWords = ({field, message}) => field?.startsWith('settings.')
  ? `Not as the form stands: ${message.slice('settings.'.length)}.` : message;

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
      ${state.error && html`<p class="problem">${inWords(state.error)}</p>`}
      ${state.previews && html`
        <${Situations} name="Who calls hears" language=${state.language}
          previews=${state.previews.filter(each => !isText(each))} />
        <${Situations} name="Who texts reads" language=${state.language}
          previews=${state.previews.filter(isText)} />`}
    </aside>`;
}
