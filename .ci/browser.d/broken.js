// A page broken in each way that a check looks for, and what that check must then say. A
// check that cannot fail would be worse than none.
import * as controls from './controls.js';
import { mapsGoByArrows, worksByKeyboard } from './keyboard.js';
import * as links from './links.js';
import * as look from './look.js';
import * as quiet from './quiet.js';
import * as speed from './speed.js';
import { linksRestore } from './state.js';

const POLICY = /<meta http-equiv="Content-Security-Policy"[^>]*>/i;

const replace = (what, by) => (html) => html.replace(what, by);
const append = (markup) => replace('</body>', `${markup}</body>`);
// What is added must be allowed to run, or only the policy would be tested.
const smuggle = (markup) => (html) => append(markup)(html.replace(POLICY, ''));
const script = (text) => smuggle(`<script>${text}</script>`);

const { saysAndLoadsNothing, hasAPolicy, enforcesItsPolicy, isWholeWithoutScript } = quiet;

// A control that hears nothing, and an event that something else hears too.
const deaf = (selector) => script(`for (const type of ['click', 'input', 'change', 'keydown'])
  addEventListener(type, (event) => { if (event.target.closest('${selector}')) event.stopImmediatePropagation(); }, true)`);
const meddle = (type, selector, text) => script(`addEventListener('${type}', ({ target, key }) => {
  if (target.closest('${selector}')) { ${text} } })`);

const isAccessible = (...looks) => (open, file) => look.isAccessible(open, file, looks);

// For each page: [what is wrong, the check that notices, how it gets so, what the check says]
export const BREAKAGES = {
  hostile: [
    ['it talks to the console', saysAndLoadsNothing, script('console.log("here")'), /console log: here/],
    ['its script fails', saysAndLoadsNothing, script('nothing.at.all'), /error: nothing is not defined/],
    ['it opens a dialog', saysAndLoadsNothing, script('alert(1)'), /dialog: 1/],
    ['it loads an image', saysAndLoadsNothing, smuggle('<img alt="" src="http://example.org/x.png">'), /request: http:\/\/example\.org/],
    ['its policy refuses what it needs', saysAndLoadsNothing, append('<img alt="" src="x.png">'), /console error: .*Content Security Policy/],
    ['it has no policy', hasAPolicy, replace(POLICY, ''), /0 policies/],
    ['its policy lets any script in', hasAPolicy, replace(/default-src 'none';/, "$& script-src 'unsafe-inline';"), /lets in 'unsafe-inline'/],
    ['its policy is loose', hasAPolicy, replace(/default-src 'none'/, 'default-src *'), /default-src is not/],
    ['its policy is not enforced', enforcesItsPolicy, replace('http-equiv="Content-Security-Policy"', 'name="policy"'), /an inline script ran/],
    ['a table is made by script', isWholeWithoutScript, script('document.querySelector("main").append(document.querySelector("table").cloneNode(true))'), /without script \d+ tables, with it \d+/],
    ['a row is made by script', isWholeWithoutScript, script('document.querySelector("main table").insertRow()'), /no such of tables/],
    ['a drawing is made by script', isWholeWithoutScript, script('document.querySelector("main").append(document.querySelector("main svg").cloneNode(true))'), /without script \d+ drawings, with it \d+/],
    ['a table waits for a script', isWholeWithoutScript, replace('<table', '<table hidden'), /table is not shown/],
    ['a button does nothing without script', isWholeWithoutScript, append('<button>More</button>'), /a control is shown/],
    ['a link leads nowhere', links.everyLinkLeadsSomewhere, replace('id="map"', 'id="other"'), /leads nowhere: #map/],
    ['an id is there twice', links.everyLinkLeadsSomewhere, append('<p id="map">'), /id twice: map/],
    ['a link is a program', links.everyLinkLeadsSomewhere, append('<a href="javascript:alert(1)">x</a>'), /is no link/],
    ['a label is lost', links.everyLinkLeadsSomewhere, replace('id="map-name"', ''), /aria-labelledby names nothing: map-name/],
    ['a target is hidden', links.everyTargetIsShown, replace('id="map"', 'id="map" hidden'), /#map is not shown/],
    ['it is too wide for a phone', look.fitsItsWidth, smuggle('<p style="width: 400px">wide</p>'), /360 px wide: scrolls sideways/],
    ['a button has no name', isAccessible('light'), append('<button></button>'), /light: button-name/],
    ['a text is too pale', isAccessible('light'), smuggle('<p style="color: #999; background: #888">pale</p>'), /light: color-contrast/],
    ['a text is too pale in the dark', isAccessible('dark'), smuggle('<style>@media (prefers-color-scheme: dark) { h1 { color: #333 } }</style>'), /dark: color-contrast/],
    ['a text in a drawing is too pale', isAccessible('light'), smuggle('<svg role="img" aria-label="x" viewBox="0 0 100 20" width="100"><rect width="100" height="20" fill="#888"/><text y="15" x="5" fill="#777">pale</text></svg>'), /contrast of "pale" is 1/],
    ['it lost its language', isAccessible('phone'), replace('<html lang="en">', '<html>'), /phone: html-has-lang/],
    ['the focus is not seen', worksByKeyboard, smuggle('<style>*:focus { outline: none !important }</style>'), /does not look focused/],
    ['a link cannot be reached', worksByKeyboard, script('document.querySelector("nav a").addEventListener("focus", (event) => event.target.blur())'), /Tab does not reach <a>/],
    ['Tab is caught', worksByKeyboard, script('addEventListener("keydown", (event) => { if (event.key === "Tab") event.preventDefault(); })'), /Tab does not reach/],
    ['a link comes before its turn', worksByKeyboard, replace('<a href="#map"', '<a tabindex="3" href="#map"'), /comes before its turn/],
    ['a cover hides what has the focus', worksByKeyboard, smuggle('<div style="position: fixed; inset: 0; z-index: 9; background: white"></div>'), /is out of sight or covered/],
    ['it is slow', speed.isSoonThere, script('const until = performance.now() + 1100; while (performance.now() < until);'), /took \d+ ms/],
    ['it is large', speed.isSmall, append(`<!--${' '.repeat(2 ** 21)}-->`), /bytes, and/],
    ['markup became an element', quiet.showsMarkupAsText, smuggle('<img alt="" src="data:,">'), /became an element: <img/],
    ['markup is left out', quiet.showsMarkupAsText, replace(/&#60;script&#62;|&lt;script&gt;/g, ''), /no <script> as text/],
    ['a fragment becomes markup', (open, file) => quiet.takesAnyFragment(open, file, ['<img src=x>']), script('document.body.insertAdjacentHTML("beforeend", decodeURIComponent(location.hash))'), /became an element/],
  ],
  one: [
    ['the theme is ignored', controls.themeIsObeyed, deaf('#theme'), /"dark" where the system is light/],
    ['a colour does not heed the theme', controls.themeIsObeyed, smuggle('<style>@media (prefers-color-scheme: dark) { h2 { color: #fee !important } }</style>'), /"light" where the system is dark: <h2/],
    ['a timeline does not step', controls.timelinesStep, deaf('.play button'), /at step 1 it says ""/],
    ['a step is marked nowhere', controls.timelinesStep, meddle('click', '.play button', 'document.querySelectorAll("li.on").forEach((one) => one.classList.remove("on"))'), /the list marks \[\]/],
    ['arrows do nothing in a map', mapsGoByArrows, deaf('table.map'), /ArrowRight goes to/],
    ['each cell of a map is a stop', mapsGoByArrows, script('document.querySelectorAll("table.map td a").forEach((one) => { one.tabIndex = 0 })'), /stops of Tab/],
    ['a timeline steps by mouse alone', controls.timelinesStepByKey, deaf('.play button'), /Enter leads to step 0/],
  ],
  ten: [
    ['it does not sort', controls.sortingSorts, deaf('button[data-sort]'), /aria-sort is null/],
    ['it sorts wrongly', controls.sortingSorts, meddle('click', 'button[data-sort]', 'const [body] = target.closest("table").tBodies; body.append(body.rows[0])'), /comes before|in two places|not at the end/],
    ['it does not say how it is sorted', controls.sortingSorts, meddle('click', 'button[data-sort]', 'target.closest("th").removeAttribute("aria-sort")'), /aria-sort is null/],
    ['it does not filter', controls.filterFilters, deaf('#filter'), /hides nothing/],
    ['it filters out too much', controls.filterFilters, meddle('input', '#filter', 'document.querySelectorAll("tbody tr").forEach((one) => { one.hidden = target.value !== "" })'), /hides everything/],
    ['another pair shows the same', controls.pairsAreCompared, deaf('#pair-base, #pair-other'), /shows the same as/],
    ['a link forgets the filter', (open, file) => linksRestore(open, file, ['filter']), script('history.replaceState(null, "", location.hash.replace(/filter=[^&]*/, ""))'), /filter .*(is not what|became)/],
  ],
};
