// The admin panel: who is signed in, and which page is shown. The page is named
// by what follows the # of the address, which no server sees.

import {html, render, useEffect, useRef, useState}
  from './vendor/preact-htm.js';
import {get, onSignedOut, signIn, signOut} from './api.js';
import {Notices, Problem} from './parts.js';
import * as overview from './overview.js';
import * as sessions from './sessions.js';
import * as numbers from './numbers.js';
import * as deliveries from './deliveries.js';
import * as keys from './keys.js';
import * as settings from './settings.js';
import * as audit from './audit.js';

// Each page is a function of {self, path, go}: who is signed in, what stands
// behind the page's name in the address, and how to get elsewhere.
const pages = {overview, sessions, numbers, deliveries, keys, settings, audit};

const here = () => {
  let parts = [];
  try {
    parts = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  } catch {
    // Not an address of ours.
  }
  const [name, ...path] = parts;
  return {name: Object.hasOwn(pages, name) ? name : Object.keys(pages)[0], path};
};

const go = (...path) => {
  location.hash = '#/' + path.map(encodeURIComponent).join('/');
};

function SignIn({over, done}) {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  const submit = async event => {
    event.preventDefault();
    setBusy(true);
    try {
      done(await signIn(field.current.value.trim()));
    } catch (error) {
      setBusy(false);
      setProblem(error.status === 401
        ? new Error('This key is not known, or not valid any more.') : error);
      field.current.select();
    }
  };
  return html`
    <main class="sign-in">
      <h1><img src="icon.svg" alt="" width="28" height="28" /> callmask</h1>
      ${over && html`<p role="status">You have been signed out.</p>`}
      <form onSubmit=${submit}>
        <input hidden autocomplete="username" value="callmask" />
        <label>Your key
          <input ref=${field} type="password" name="key" required
                 autocomplete="current-password" spellcheck="false"
                 placeholder="cm_…"
                 aria-invalid=${problem ? 'true' : undefined} />
        </label>
        <button aria-busy=${busy} disabled=${busy}>Sign in</button>
        <${Problem} error=${problem} />
      </form>
      <details>
        <summary>Where do I get a key?</summary>
        <p>From who runs callmask, on its machine:</p>
        <pre>callmask key add --role operator --name "Your name"</pre>
        <p>A <code>viewer</code> may only look. What an operator changes or looks up
        goes into the audit log, under that name.</p>
      </details>
    </main>`;
}

// The pages, and who is signed in. On narrow screens behind a button.
function Menu({at, self, leave}) {
  const [open, setOpen] = useState(false);
  const button = useRef();
  useEffect(() => setOpen(false), [at]);
  return html`
    <header onKeyDown=${event => {
      if (event.key === 'Escape' && open) {
        setOpen(false);
        button.current.focus();
      }
    }}>
      <p class="brand">callmask <small>${self.service}</small></p>
      <button class="plain menu" ref=${button} aria-expanded=${String(open)}
              aria-controls="menu" onClick=${() => setOpen(!open)}>Menu</button>
      <div id="menu" class=${open ? 'open' : ''}>
        <nav aria-label="Pages">
          <ul>${Object.entries(pages).map(([name, {title}]) => html`
            <li><a href=${'#/' + name} onClick=${() => setOpen(false)}
                   aria-current=${name === at.name ? 'page' : undefined}
                >${title}</a></li>`)}
          </ul>
        </nav>
        <p class="who">${self.name} <small>${self.role}</small>
          <button class="plain" onClick=${leave}>Sign out</button></p>
      </div>
    </header>`;
}

function Panel({self, leave}) {
  const [at, setAt] = useState(here());
  const main = useRef();
  useEffect(() => {
    const move = () => {
      setAt(here());
      window.scrollTo(0, 0);
      main.current.focus();
    };
    addEventListener('hashchange', move);
    return () => removeEventListener('hashchange', move);
  }, []);
  const page = pages[at.name];
  useEffect(() => {
    document.title = `${page.title} · ${self.service} · callmask`;
  }, [page, self]);
  return html`
    <div class="panel">
      <a class="skip" href="#main" onClick=${event => {
        event.preventDefault();
        main.current.focus();
      }}>To the page</a>
      <${Menu} at=${at} self=${self} leave=${leave} />
      <main id="main" tabindex="-1" ref=${main}>
        <${page.Page} key=${[at.name, ...at.path].join('/')}
                      self=${self} path=${at.path} go=${go} />
      </main>
      <${Notices} />
    </div>`;
}

function Admin() {
  // undefined: not known yet; null: nobody.
  const [self, setSelf] = useState(undefined);
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    onSignedOut(() => setSelf(was => {
      setOver(Boolean(was));
      return null;
    }));
    get('keys/self').then(setSelf, error => {
      if (error.status !== 401)
        setProblem(error);
    });
  }, []);
  const leave = async () => {
    await signOut().catch(() => {});
    setSelf(null);
    setOver(true);
  };
  if (problem)
    return html`<main><h1>callmask</h1><${Problem} error=${problem} /></main>`;
  if (self === undefined)
    return html`<main aria-busy="true"></main>`;
  return self
    ? html`<${Panel} self=${self} leave=${leave} />`
    : html`<${SignIn} over=${over} done=${setSelf} />`;
}

render(html`<${Admin} />`, document.body);
