// How a page looks, light, dark and on a phone: pictures, room, and what axe-core says of it.

import axe from 'axe-core';

import { DESK, PHONE } from './browser.js';

export const LOOKS = {
  light: { scheme: 'light', size: DESK },
  dark: { scheme: 'dark', size: DESK },
  phone: { scheme: 'light', size: PHONE },
};

// Chromium draws no picture higher than this.
const TALLEST = 16384;

// Writes one picture of the whole page for each look; the names come back.
export async function pictures(open, folder, name) {
  const written = [];
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page } = await open(options);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const path = `${folder}/${name}-${look}.png`;
    const clip = { x: 0, y: 0, width: options.size.width, height: Math.min(height, TALLEST) };
    await page.screenshot({ path, clip, captureBeyondViewport: true });
    written.push(path);
  }
  return written;
}

// Nothing reaches over the right edge: only a table or a drawing scrolls, in its own frame.
export async function fitsItsWidth(open) {
  const problems = [];
  const { page } = await open();
  await page.evaluate(openAll);
  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewport({ width, height: 800 });
    const over = await page.evaluate(() => {
      const room = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= room) return [];
      const isFramed = (one) => {
        for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) {
          if (getComputedStyle(up).overflowX !== 'visible') return true;
        }
        return false;
      };
      const wide = [...document.body.querySelectorAll('*')]
        .filter((one) => one.getBoundingClientRect().right > room + 0.5 && !isFramed(one))
        .map((one) => `<${one.localName} class="${one.getAttribute('class') ?? ''}"> ends at ${Math.round(one.getBoundingClientRect().right)} px: ${one.textContent.trim().slice(0, 60)}`);
      return [`scrolls sideways to ${document.documentElement.scrollWidth} px`, ...wide.slice(-3)];
    });
    problems.push(...over.map((what) => `${width} px wide: ${what}`));
  }
  return problems;
}

// Readers open what is folded, so it is looked at open.
const openAll = () => {
  for (const one of document.querySelectorAll('details')) one.open = true;
};

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

export async function isAccessible(open, _file, looks = Object.keys(LOOKS)) {
  const told = await Promise.all(looks.map(async (look) => {
    const { page } = await open(LOOKS[look]);
    await page.evaluate(openAll);
    // By the inspector, which the page's policy does not govern.
    await page.evaluate(axe.source);
    const problems = [...await page.evaluate(audit, RULES), ...await page.evaluate(auditUndecided)];
    return problems.map((what) => `${look}: ${what}`);
  }));
  return told.flat();
}

const audit = async (rules) => {
  const { violations, incomplete, passes } = await window.axe.run(document, {
    runOnly: { type: 'tag', values: rules },
    resultTypes: ['violations', 'incomplete'],
    preload: false,
  });
  window.undecided = incomplete.filter((one) => one.id === 'color-contrast').flatMap((one) => one.nodes);
  const why = (node) => `${node.target.join(' ')}: ${node.failureSummary.split('\n').slice(1).join(' ').trim()}`;
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}, ${nodes.length} times: ${nodes.slice(0, 3).map(why).join(' | ')}`);
  return passes.length < 10 ? [...told, `axe-core found only ${passes.length} rules to apply`] : told;
};

// axe-core does not say what is behind a text in a drawing, nor behind one that a frame has
// scrolled away. The browser does, once the text is in sight.
const auditUndecided = () => {
  const { Color, getContrast, flattenColors } = window.axe.commons.color;
  const color = (text) => {
    const parsed = new Color();
    parsed.parseString(text);
    return parsed;
  };
  const found = [];
  const looked = new Set();
  for (const node of window.undecided) {
    const one = document.querySelector(node.target.at(-1));
    const text = [...one.childNodes].find((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (!text) continue;
    // To ask what is behind takes long: once for each kind of text in a table, and for each
    // of a drawing, where a neighbour may stand on something else.
    const table = one.closest('table');
    const kind = [table?.className, one.localName, one.className, one.parentElement.className, getComputedStyle(one).color].join('/');
    if (table && looked.has(kind)) continue;
    looked.add(kind);
    one.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const range = document.createRange();
    range.selectNodeContents(text);
    const { left, top, width, height } = range.getBoundingClientRect();
    const stack = document.elementsFromPoint(left + width / 2, top + height / 2);
    const at = stack.indexOf(one);
    const grounds = (at < 0 ? [document.documentElement] : stack.slice(at)).map((under) => {
      const style = getComputedStyle(under);
      const isShape = under instanceof SVGGeometryElement;
      return color(isShape ? (style.fill === 'none' ? 'transparent' : style.fill) : style.backgroundColor);
    });
    const ground = grounds.reduceRight((below, above) => flattenColors(above, below), new Color(255, 255, 255, 1));
    const style = getComputedStyle(one);
    const ink = flattenColors(color(one instanceof SVGElement ? style.fill : style.color), ground);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = getContrast(ground, ink);
    if (contrast < (isLarge ? 3 : 4.5)) {
      found.push(`contrast of "${text.data.trim().slice(0, 30)}" is ${contrast.toFixed(2)}: ${style.fill} ${style.color}, ${node.target.at(-1)}`);
    }
  }
  return found;
};
