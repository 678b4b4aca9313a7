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

export async function worksByKeyboard(open) {
  const { page } = await open();
  const all = await page.evaluate(number);
  const problems = all.filter((one) => one.early).map((one) => `comes before its turn: ${one.name}`);
  const reached = [];
  // Twice as often as there is something to reach: then Tab is caught somewhere.
  for (let pressed = 0; pressed < 2 * all.length; pressed += 1) {
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
  const missed = all.filter((_, at) => !reached.includes(at));
  problems.push(...missed.map((one) => `Tab does not reach ${one.name}`));
  const sorted = [...reached].sort((a, b) => a - b);
  const jump = reached.findIndex((at, place) => at !== sorted[place]);
  if (jump >= 0) problems.push(`Tab goes to ${all[reached[jump]].name} before ${all[sorted[jump]].name}`);
  return problems;
}

// A map is one stop of Tab, and arrows reach each of its cells.
export async function mapsGoByArrows(open) {
  const { page } = await open();
  const stops = await page.evaluate(() => [...document.querySelectorAll('table.map')].map((table) => [...table.querySelectorAll('tbody td a')].filter((link) => link.tabIndex >= 0).length));
  const problems = stops.filter((many) => many !== 1).map((many) => `a map has ${many} stops of Tab`);
  if (stops.length === 0) problems.push('no map');
  await page.evaluate(() => document.querySelector('table.map tbody td a').focus());
  const where = () => page.evaluate(() => {
    const cell = document.activeElement.closest('td');
    return cell && [cell.parentElement.sectionRowIndex, cell.cellIndex];
  });
  const [row, cell] = await where();
  for (const [key, to] of [['ArrowRight', [row, cell + 1]], ['ArrowDown', [row + 1, cell + 1]], ['ArrowLeft', [row + 1, cell]], ['ArrowUp', [row, cell]], ['ArrowLeft', [row, cell]]]) {
    await page.keyboard.press(key);
    const at = await where();
    if (`${at}` !== `${to}`) problems.push(`${key} goes to ${at} and not to ${to}`);
  }
  return problems;
}
