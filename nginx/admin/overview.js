// How things stand.

import {html} from './vendor/preact-htm.js';

export const title = 'Overview';

export function Page() {
  return html`<h1>Overview</h1>`;
}
