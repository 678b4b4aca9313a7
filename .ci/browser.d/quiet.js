// What a page must not do: say something to the console, ask for anything, run what is not
// its own script, or keep something from readers without JavaScript.
import { PHONE } from './browser.js';

export async function saysAndLoadsNothing(open) {
  const looks = [{}, { scheme: 'dark' }, { size: PHONE }, { script: false }];
  const visits = await Promise.all(looks.map(open));
  return visits.flatMap((one) => one.heard);
}

// A record's names are text, whatever is written in them.
export async function showsMarkupAsText(open) {
  const { page } = await open();
  return page.evaluate(() => {
    const made = [...document.querySelectorAll('img, iframe, object, embed, link, base, form, script[src]')];
    const armed = [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on')));
    const problems = [...made, ...armed].map((one) => `became an element: ${one.outerHTML.slice(0, 80)}`);
    if (!document.body.innerText.includes('<script>')) problems.push('shows no <script> as text');
    return problems;
  });
}

// Whatever a fragment says, it is a wish and no command.
const MARKUP = '<img src=x onerror=alert(1)>';
const WISHES = ['', 'nonsense', '%', '%00', '-1', '1e9', '__proto__', '[(*+?\\', MARKUP, encodeURIComponent(MARKUP)];

export async function takesAnyFragment(open, _file, values = WISHES) {
  const { page } = await open();
  const names = await page.$$eval('input, select', (all) => all.flatMap((one) => [one.id, one.name]));
  const wishes = (value) => [...new Set(['theme', 'filter', 'sort', ...names])].filter(Boolean)
    .map((name) => `${name}=${value}`).join('&');
  const fragments = ['%', '=&=&', '__proto__=1&constructor=2', ...values, ...values.map(wishes)];
  const told = await Promise.all(fragments.map(async (fragment) => {
    const { heard, page } = await open({ fragment });
    const problems = await page.$('img, [onerror]') ? [...heard, 'became an element'] : heard;
    return problems.map((what) => `#${fragment}: ${what}`);
  }));
  return told.flat();
}

export async function hasAPolicy(open) {
  const problems = [];
  const { page } = await open();
  const policies = await page.$$eval(
    'meta[http-equiv="Content-Security-Policy" i]',
    (all) => all.map((one) => [one.content, one.previousElementSibling?.matches('[charset]') ?? true]),
  );
  if (policies.length !== 1) return [`${policies.length} policies, not 1`];
  const [[policy, isFirst]] = policies;
  if (!isFirst) problems.push('the policy comes after something that it should govern');
  const rules = new Map(policy.split(';').map((rule) => {
    const [name, ...sources] = rule.trim().split(/\s+/);
    return [name, sources.join(' ')];
  }));
  if (rules.get('default-src') !== "'none'") problems.push(`default-src is not 'none': ${policy}`);
  for (const name of ['base-uri', 'form-action']) {
    if (rules.get(name) !== "'none'") problems.push(`${name} is not 'none': ${policy}`);
  }
  for (const source of (rules.get('script-src') ?? '').split(' ').filter(Boolean)) {
    if (!/^'(none|sha(256|384|512)-[\w+/=]+)'$/.test(source)) problems.push(`script-src lets in ${source}`);
  }
  return problems;
}

// What somebody might smuggle into the page, against what the browser calls it when it
// refuses it.
const SMUGGLED = {
  'an inline script': ['script-src-elem', () => {
    const script = document.createElement('script');
    script.textContent = 'window.smuggled = true';
    document.body.append(script);
  }],
  'a handler in an attribute': ['script-src-attr', () => {
    const button = document.createElement('button');
    button.setAttribute('onclick', 'window.smuggled = true');
    document.body.append(button);
    button.click();
  }],
  'a link that is a program': ['script-src-elem', () => {
    const link = document.createElement('a');
    link.href = 'javascript:void(window.smuggled = true)';
    document.body.append(link);
    link.click();
  }],
  'an image from elsewhere': ['img-src', () => {
    const image = new Image();
    image.src = 'https://example.org/x.png';
    document.body.append(image);
  }],
  'a call home': ['connect-src', () => {
    fetch('https://example.org/').then(() => { window.smuggled = true; }, () => {});
  }],
  'a frame': ['frame-src', () => {
    const frame = document.createElement('iframe');
    frame.src = 'data:text/html,x';
    document.body.append(frame);
  }],
  'another base for links': ['base-uri', () => {
    const base = document.createElement('base');
    base.href = 'https://example.org/';
    document.head.append(base);
  }],
};

// A refusal is told to the console, so each of these has a page of its own.
export async function enforcesItsPolicy(open) {
  const told = await Promise.all(Object.entries(SMUGGLED).map(async ([what, [rule, smuggle]]) => {
    const visit = await open({ first: () => {
      window.refused = [];
      document.addEventListener('securitypolicyviolation', (event) => {
        window.refused.push(event.effectiveDirective);
      });
    } });
    await visit.ask(smuggle);
    await visit.settle();
    const { refused, ran } = await visit.ask(() => ({ refused: window.refused, ran: 'smuggled' in window }));
    if (ran) return `${what} ran`;
    return refused.includes(rule) ? [] : `${what} was not refused by ${rule}: [${refused}]`;
  }));
  return told.flat();
}

// What the page holds, and how much of it: tables by their captions, drawings by their size.
const holdings = () => {
  const isShown = (one) => one.getClientRects().length > 0;
  const main = document.querySelector('main') ?? document.body;
  // That of any two runs is the script's own: what it shows is in the others, against the base.
  const tables = [...main.querySelectorAll('table')].filter((one) => !one.closest('#pair'));
  const drawings = [...main.querySelectorAll('svg')];
  return {
    tables: tables.map((one) => `${one.caption?.textContent.trim()}: ${one.rows.length} rows, ${one.querySelectorAll('td').length} cells`),
    drawings: drawings.map((one) => `${one.getAttribute('viewBox')}: ${one.querySelectorAll('*').length} elements`),
    sections: [...main.querySelectorAll('section, details, figure')].map((one) => one.id || one.localName),
    // Drawings come in a wide and a narrow one, of which the style shows one.
    unseen: tables
      .filter((one) => !isShown(one) && !one.closest('details:not([open])'))
      .map((one) => one.caption?.textContent.trim()),
    undrawn: [...main.querySelectorAll('figure')]
      .filter((one) => one.querySelector('svg') && !one.closest('details:not([open])'))
      .filter((one) => ![...one.querySelectorAll('svg')].some(isShown))
      .map((one) => one.id || one.textContent.trim().slice(0, 60)),
    dead: [...document.querySelectorAll('button, input, select, textarea')]
      .filter(isShown)
      .map((one) => one.id || one.outerHTML.slice(0, 80)),
  };
};

export async function isWholeWithoutScript(open) {
  const problems = [];
  const bare = await (await open({ script: false })).ask(holdings);
  const full = await (await open()).ask(holdings);
  if (bare.tables.length === 0 || bare.drawings.length === 0) problems.push('no table, or no drawing');
  for (const kind of ['tables', 'drawings', 'sections']) {
    if (bare[kind].length !== full[kind].length) {
      problems.push(`without script ${bare[kind].length} ${kind}, with it ${full[kind].length}`);
    }
    const lacks = full[kind].filter((one) => !bare[kind].includes(one));
    if (lacks.length > 0) problems.push(`without script there is no such of ${kind}: ${lacks.slice(0, 5).join('; ')}`);
  }
  problems.push(...bare.unseen.map((one) => `without script the table is not shown: ${one}`));
  problems.push(...bare.undrawn.map((one) => `without script the figure is not shown: ${one}`));
  problems.push(...bare.dead.map((one) => `without script a control is shown that does nothing: ${one}`));
  return problems;
}
