// Each control does what it says. What is expected is read off the page as its readers see
// it, never out of what its script works with.

const THEME = '#theme';
const FILTER = '#filter';
const BASE = '#pair-base';
const OTHER = '#pair-other';
const SORT = 'button[data-sort]';

// A word that is in some rows and not in all: the name of the last row of the first table.
export const wordToFilter = (page) => page.evaluate(() => {
  const heads = [...document.querySelectorAll('table:has(button[data-sort]) tbody th[scope=row]')];
  return heads.at(-1).firstChild.textContent.trim();
});

// One choice with each control, for links that have to carry it.
export const SETTINGS = {
  theme: ({ page }) => page.select(THEME, 'dark'),
  filter: async ({ page }) => page.type(FILTER, await wordToFilter(page)),
  sort: ({ page }) => page.click(SORT),
  pair: async ({ page }) => {
    const runs = await page.$$eval(`${OTHER} option`, (all) => all.map((one) => one.value));
    await page.select(BASE, runs.at(-1));
    await page.select(OTHER, runs[0]);
  },
};

// Every colour on the page, in the order of its elements.
const colours = () => [...document.body.querySelectorAll('*')].map((one) => {
  const { color, backgroundColor, fill, stroke, borderBlockEndColor } = getComputedStyle(one);
  const name = `<${one.localName} class="${one.getAttribute('class') ?? ''}">`;
  return `${name} ${[color, backgroundColor, fill, stroke, borderBlockEndColor].join(', ')}`;
});

const brightness = () => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
};

// A theme that was chosen looks as it does where the system has it, whatever this system has.
export async function themeIsObeyed(open) {
  const problems = [];
  const own = {};
  for (const scheme of ['light', 'dark']) own[scheme] = await (await open({ scheme })).ask(colours);
  for (const scheme of ['light', 'dark']) {
    const { page } = await open({ scheme });
    const themes = await page.$$eval(`${THEME} option`, (all) => all.map((one) => one.value));
    if (!themes.includes('light') || !themes.includes('dark')) problems.push(`no choice of light and dark: [${themes}]`);
    for (const theme of themes) {
      await page.select(THEME, theme);
      const wanted = ['light', 'dark'].includes(theme) ? theme : scheme;
      const where = `"${theme}" where the system is ${scheme}`;
      const bright = await page.evaluate(brightness);
      if (bright > 0.5 !== (wanted === 'light')) problems.push(`${where}: the paper's brightness is ${bright.toFixed(2)}`);
      const got = await page.evaluate(colours);
      const other = got.findIndex((one, at) => one !== own[wanted][at]);
      if (other >= 0) problems.push(`${where}: ${got[other]}, not ${own[wanted][other]}`);
    }
  }
  return problems;
}

export async function sortingSorts(open) {
  const { page } = await open();
  return page.evaluate(async (SORT) => {
    const problems = [];
    const SCALE = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9, '%': 1, '': 1 };
    // What a cell says first: a number in its smallest unit, a word, or nothing.
    const said = (cell) => {
      const text = [...cell?.childNodes ?? []].map((one) => one.nodeName === 'SMALL' || one.nodeName === 'SUP' ? '' : one.textContent).join('').trim();
      const [, sign, digits, unit] = text.match(/^([<>−-]?)([\d,]*\.?\d+)\s*(ns|µs|ms|s|%|)(?![\w])/) ?? [];
      if (digits === undefined) return /^[–]?$/.test(text) ? null : text;
      const number = Number(digits.replaceAll(',', '')) * SCALE[unit];
      return { '<': number - 1e-9, '>': number + 1e-9, '−': -number, '-': -number }[sign] ?? number;
    };
    let judged = 0;
    for (const button of document.querySelectorAll(SORT)) {
      const head = button.closest('th');
      const table = button.closest('table');
      const where = `${table.caption?.textContent.trim()}, ${button.textContent.trim()}`;
      if (head === null) {
        problems.push(`${where}: the button is in no head of a column`);
        continue;
      }
      // The column, where heads before it may span several.
      const at = [...head.parentElement.cells].slice(0, head.cellIndex).reduce((sum, cell) => sum + cell.colSpan, 0);
      const seen = new Set();
      for (let pressed = 0; pressed < 2; pressed += 1) {
        button.click();
        const order = head.getAttribute('aria-sort');
        seen.add(order);
        const others = table.querySelectorAll('th[aria-sort]:not([aria-sort="none"])').length;
        if (!['ascending', 'descending'].includes(order)) problems.push(`${where}: aria-sort is ${order}`);
        if (others !== 1) problems.push(`${where}: ${others} columns say that they are sorted`);
        for (const body of table.tBodies) {
          // A row that was not measured says why, in one cell: it has nothing in this column.
          const isWhole = (row) => at === 0 || ![...row.cells].some((cell) => cell.colSpan > 1);
          const column = [...body.rows].map((row) => (isWhole(row) ? said(row.cells[at]) : null));
          const empty = column.findIndex((one) => one === null);
          if (empty >= 0 && column.slice(empty).some((one) => one !== null)) problems.push(`${where}: what says nothing is not at the end`);
          const full = column.filter((one) => one !== null);
          if (full.every((one) => typeof one === 'number')) {
            judged += new Set(full).size > 2 ? 1 : 0;
            const wrong = full.findIndex((one, place) => place > 0 && (order === 'ascending' ? one < full[place - 1] : one > full[place - 1]));
            if (wrong > 0) problems.push(`${where}: ${order}, and ${full[wrong - 1]} comes before ${full[wrong]}`);
          } else {
            // Words may have an order of their own; but like stands by like.
            const torn = full.find((one, place) => full.indexOf(one) < place && full[place - 1] !== one);
            if (torn !== undefined) problems.push(`${where}: ${order}, and "${torn}" stands in two places`);
          }
        }
      }
      if (seen.size !== 2) problems.push(`${where}: pressed twice it is not sorted both ways`);
    }
    return judged > 0 ? problems : [...problems, 'no column has three numbers to sort'];
  }, SORT);
}

export async function filterFilters(open) {
  const problems = [];
  const { page } = await open();
  const shown = () => page.evaluate(() => {
    const rows = [...document.querySelectorAll('table:has(button[data-sort]) tbody tr')];
    return rows.map((row) => ({
      text: row.textContent,
      around: [row.closest('section')?.querySelector('h2')?.textContent, row.closest('table').caption?.textContent].join(' '),
      isShown: row.checkVisibility(),
    }));
  });
  const type = async (text) => {
    await page.$eval(FILTER, (input) => { input.focus(); input.select(); });
    await page.keyboard.press('Backspace');
    if (text) await page.keyboard.type(text);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  };
  const all = await shown();
  if (!all.every((row) => row.isShown)) problems.push('rows are hidden before anything is filtered');
  const word = await wordToFilter(page);
  for (const text of [word, word.toUpperCase()]) {
    await type(text);
    const rows = await shown();
    const has = (where) => where.toLowerCase().includes(text.toLowerCase());
    if (rows.every((row) => row.isShown)) problems.push(`"${text}" hides nothing`);
    if (!rows.some((row) => row.isShown)) problems.push(`"${text}" hides everything`);
    const wrong = rows.find((row) => row.isShown && !has(row.text) && !has(row.around));
    if (wrong) problems.push(`"${text}" shows ${wrong.text.slice(0, 60)}`);
    const lost = rows.find((row) => !row.isShown && has(row.text));
    if (lost) problems.push(`"${text}" hides ${lost.text.slice(0, 60)}`);
  }
  await type('no such thing');
  if ((await shown()).some((row) => row.isShown)) problems.push('what nothing is called shows something');
  await type('');
  if ((await shown()).some((row) => !row.isShown)) problems.push('an empty filter hides something');
  return problems;
}

// Whichever two runs are chosen, it is these that are compared.
export async function pairsAreCompared(open) {
  const problems = [];
  const { page } = await open();
  const runs = await page.$$eval(`${BASE} option`, (all) => all.map((one) => ({ value: one.value, name: one.textContent.trim() })));
  const others = await page.$$eval(`${OTHER} option`, (all) => all.map((one) => one.value));
  if (runs.length < 2) problems.push(`a choice of ${runs.length} runs`);
  if (runs.some((run) => !others.includes(run.value))) problems.push('not every run can be compared with every other');
  const compare = async (base, other) => {
    await page.select(BASE, base.value);
    await page.select(OTHER, other.value);
    return page.$eval(BASE, (select) => select.closest('section').innerText);
  };
  const shown = new Map();
  for (const [base, other] of [[0, 1], [1, 0], [0, -1], [-1, 0]]) {
    const pair = [runs.at(base), runs.at(other)];
    const text = await compare(...pair);
    const name = pair.map((run) => run.name).join(' and ');
    const twin = shown.get(text);
    if (twin && twin !== name) problems.push(`${name} shows the same as ${twin}`);
    shown.set(text, name);
  }
  return problems;
}

// Steps each timeline from its first step to its last and back.
export async function timelinesStep(open) {
  const { page } = await open();
  return page.evaluate(() => {
    const problems = [];
    const figures = [...document.querySelectorAll('figure.play')].filter((one) => one.querySelector('svg'));
    if (figures.length === 0) return ['no timeline'];
    for (const figure of figures) {
      const where = figure.querySelector('svg title').textContent;
      const wrong = (what) => problems.push(`${where}: ${what}`);
      const [previous, next, ...others] = figure.querySelectorAll('button');
      const told = [...figure.querySelectorAll('ol > li')];
      const live = figure.querySelector('[aria-live]');
      if (!next || others.length > 0 || !live || told.length === 0) {
        wrong(`has ${figure.querySelectorAll('button').length} buttons and ${told.length} steps`);
        continue;
      }
      if (!/previous/i.test(previous.textContent) || !/next/i.test(next.textContent)) wrong('the buttons do not say which way they go');
      const isOff = (button) => button.disabled || button.getAttribute('aria-disabled') === 'true';
      // Where it stands: what is read out, what is marked in the list and in the drawing.
      const stands = (at) => {
        const said = live.textContent.trim();
        const sentence = told[at].textContent.trim();
        if (!said.startsWith(`${at + 1} of ${told.length}`) || !said.endsWith(sentence)) wrong(`at step ${at + 1} it says "${said}"`);
        const marked = told.flatMap((one, place) => one.classList.contains('on') ? [place] : []);
        if (String(marked) !== String(at)) wrong(`at step ${at + 1} the list marks [${marked.map((place) => place + 1)}]`);
        const drawn = [...figure.querySelectorAll('svg .s')].flatMap((one, place) => one.classList.contains('on') ? [place] : []);
        if (String(drawn) !== String(at)) wrong(`at step ${at + 1} the drawing marks [${drawn.map((place) => place + 1)}]`);
        if (isOff(previous) !== (at === 0)) wrong(`at step ${at + 1} "${previous.textContent}" is ${isOff(previous) ? 'off' : 'on'}`);
        if (isOff(next) !== (at === told.length - 1)) wrong(`at step ${at + 1} "${next.textContent}" is ${isOff(next) ? 'off' : 'on'}`);
      };
      if (!isOff(previous)) wrong('there is something before the first step');
      previous.click();
      if (live.textContent.trim() !== '') {
        wrong(`"${previous.textContent}" is off, and shows "${live.textContent}"`);
        continue;
      }
      for (let at = 0; at < told.length; at += 1) {
        next.click();
        stands(at);
      }
      next.click();
      stands(told.length - 1);
      for (let at = told.length - 2; at >= 0; at -= 1) {
        previous.click();
        stands(at);
      }
    }
    return problems;
  });
}

// The same by keys alone.
export async function timelinesStepByKey(open) {
  const { page } = await open();
  const problems = [];
  const at = () => page.$eval('figure.play:has(button) [aria-live]', (live) => {
    const [, at, of] = live.textContent.match(/^(\d+) of (\d+)/) ?? [];
    return { at: Number(at ?? 0), of: Number(of ?? 0) };
  });
  const press = async (key, expected) => {
    await page.keyboard.press(key);
    const now = await at();
    const wanted = expected(now.of);
    if (now.at !== wanted) problems.push(`${key} leads to step ${now.at}, not ${wanted}`);
  };
  await page.focus('figure.play button ~ button');
  await press('Enter', () => 1);
  await press('Space', () => 2);
  await press('ArrowRight', () => 3);
  await press('ArrowLeft', () => 2);
  await press('End', (of) => of);
  await press('Home', () => 1);
  return problems;
}
