// The page by keyboard alone: Tab reaches everything that can be used, in the order in which
// it is read, and one sees where one is.

// Numbers everything that Tab has to reach, in the order of the document, and keeps how it
// looks without the focus.
const number = () => {
  const rings = (one) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, backgroundColor } = getComputedStyle(one);
    return [outlineStyle === 'none' ? 'none' : `${outlineStyle} ${outlineWidth} ${outlineColor}`, boxShadow, backgroundColor].join(' / ');
  };
  const name = (one) => `<${one.localName}${one.id ? ` id="${one.id}"` : ''}> ${(one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 40)}`;
  Object.assign(window, { rings, nameOf: name });
  const usable = 'a[href], button, input, select, textarea, summary, [tabindex]';
  // Of the radio buttons of a group, Tab reaches the chosen one, and arrows the others.
  const isReached = (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && !(one.type === 'radio' && !one.checked);
  window.reached = [...document.querySelectorAll(usable)].filter(isReached);
  window.bare = window.reached.map(rings);
  return window.reached.map((one) => ({ name: name(one), early: one.tabIndex > 0 }));
};

// What has the focus: its number, and what is wrong with how it looks.
const look = () => {
  const one = document.activeElement;
  const at = window.reached.indexOf(one);
  if (one === null || one === document.body) return { at: null };
  if (at < 0) return { at, what: window.nameOf(one) };
  const faults = [];
  if (window.rings(one) === window.bare[at]) faults.push('does not look focused');
  const boxes = [...one.getClientRects()];
  const isSeen = ({ left, top, right, bottom }) => {
    const x = (Math.max(left, 0) + Math.min(right, innerWidth)) / 2;
    const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (one.contains(hit) || hit.contains(one) || [...one.labels ?? []].some((label) => label.contains(hit)));
  };
  if (!boxes.some(isSeen)) faults.push('is out of sight or covered when it has the focus');
  return { at, faults };
};

const MOST_PRESSED = 160;

export async function worksByKeyboard(open) {
  const { page } = await open();
  const all = await page.evaluate(number);
  const problems = all.filter((one) => one.early).map((one) => `comes before its turn: ${one.name}`);
  const reached = [];
  // The cells of the maps are thousands of links: enough of them to see that Tab goes on.
  for (let pressed = 0; pressed < MOST_PRESSED; pressed += 1) {
    await page.keyboard.press('Tab');
    const { at, what, faults } = await page.evaluate(look);
    if (at === null) break;
    if (at < 0) {
      problems.push(`Tab reaches what it should not: ${what}`);
      continue;
    }
    if (reached.includes(at)) break;
    reached.push(at);
    problems.push(...faults.map((fault) => `${all[at].name} ${fault}`));
  }
  const missed = all.filter((_, at) => !reached.includes(at) && at < Math.max(...reached));
  problems.push(...missed.map((one) => `Tab does not reach ${one.name}`));
  const sorted = [...reached].sort((a, b) => a - b);
  const jump = reached.findIndex((at, place) => at !== sorted[place]);
  if (jump >= 0) problems.push(`Tab goes to ${all[reached[jump]].name} before ${all[sorted[jump]].name}`);
  return problems;
}
