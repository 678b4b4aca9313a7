// What a reader has chosen lives in the fragment: a link shows what its sender saw.
import { SETTINGS } from './controls.js';

// All that can be seen of a choice: the words that are shown, in their order, the colours,
// and what the controls and the headers say of themselves.
const seen = () => {
  const { color, backgroundColor } = getComputedStyle(document.body);
  const told = [...document.querySelectorAll('input, select, button, [aria-sort], [aria-pressed], [aria-current]')]
    .map((one) => [one.id, one.value, one.checked, one.disabled, one.getAttribute('aria-sort'),
      one.getAttribute('aria-pressed'), one.getAttribute('aria-current')].join(' '));
  return { colours: `${color} on ${backgroundColor}`, told, shown: document.body.innerText.split('\n') };
};

// Where two views differ first; nothing where they do not.
function difference(sent, got) {
  if (sent.colours !== got.colours) return `${sent.colours} became ${got.colours}`;
  for (const kind of ['told', 'shown']) {
    const at = sent[kind].findIndex((one, place) => one !== got[kind][place]);
    if (at >= 0) return `"${sent[kind][at]}" became "${got[kind][at]}"`;
    if (sent[kind].length !== got[kind].length) return `${sent[kind].length} of ${kind} became ${got[kind].length}`;
  }
  return null;
}

const fragmentOf = async (page) => (await page.evaluate(() => location.href)).split('#')[1] ?? '';

// Makes the choices, and opens the link in a page of its own, and in one that is open.
async function restores(open, choices) {
  const problems = [];
  const sender = await open();
  const before = await sender.ask(seen);
  for (const choose of choices) await choose(sender);
  await sender.settle();
  const sent = await sender.ask(seen);
  if (difference(before, sent) === null) problems.push('changes nothing that can be seen');
  const fragment = await fragmentOf(sender.page);
  if (fragment === '') return [...problems, 'is not in the fragment'];

  const isKept = await sender.ask(() => localStorage.length > 0 || sessionStorage.length > 0);
  if (isKept) problems.push('is kept elsewhere than in the fragment');
  const fresh = await open({ fragment });
  const lost = difference(sent, await fresh.ask(seen));
  if (lost) problems.push(`is not what #${fragment} shows: ${lost}`);
  const again = await fragmentOf(fresh.page);
  if (again !== fragment) problems.push(`#${fragment} became #${again} when it was opened`);

  const already = await open();
  await already.ask((text) => { location.hash = text; }, fragment);
  await already.settle();
  const kept = difference(sent, await already.ask(seen));
  if (kept) problems.push(`is not what #${fragment} shows in a page that is open: ${kept}`);
  return problems;
}

export async function linksRestore(open, _file, names = Object.keys(SETTINGS)) {
  const each = names.map((name) => [name, [SETTINGS[name]]]);
  const all = ['all together', names.map((name) => SETTINGS[name])];
  const told = [];
  for (const [name, choices] of each.length > 1 ? [...each, all] : each) {
    told.push(...(await restores(open, choices)).map((what) => `${name} ${what}`));
  }
  return told;
}
