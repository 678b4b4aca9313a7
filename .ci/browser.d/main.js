// Opens the pages that .ci/browser has had written in Chromium, and checks each of them; then
// breaks one in every way that a check looks for, and sees that each is noticed.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parseArgs } from 'node:util';

import { launch, visit } from './browser.js';
import { BREAKAGES } from './broken.js';
import * as controls from './controls.js';
import { mapsGoByArrows, worksByKeyboard } from './keyboard.js';
import * as links from './links.js';
import * as look from './look.js';
import * as quiet from './quiet.js';
import * as speed from './speed.js';
import { linksRestore } from './state.js';

const string = { type: 'string' };
const { values: given } = parseArgs({
  options: { chromium: string, output: string, one: string, ten: string, hostile: string, 'self-test': { type: 'boolean' } },
});
const pages = { 'one run': given.one, 'ten runs': given.ten, 'a hostile record': given.hostile };
const MOST_TOLD = 20;

let browser;
before(async () => {
  browser = await launch(given.chromium);
  console.log(await browser.version());
});
after(() => browser?.close());

// What `check` has to say of `file`; every page that it opens is closed again.
async function problemsOf(check, file) {
  const visits = [];
  const open = async (options) => {
    visits.push(await visit(browser, file, options));
    return visits.at(-1);
  };
  try {
    return await check(open, file);
  } finally {
    await Promise.all(visits.map((one) => one.close()));
  }
}

function passes(name, check, file) {
  test(name, { timeout: 240_000 }, async () => {
    const problems = await problemsOf(check, file);
    if (problems.length === 0) return;
    const told = problems.slice(0, MOST_TOLD);
    if (problems.length > told.length) told.push(`and ${problems.length - told.length} more`);
    throw new Error(told.join('\n'));
  });
}

for (const [name, file] of Object.entries(pages)) {
  describe(name, () => {
    passes('says nothing to the console and loads nothing', quiet.saysAndLoadsNothing, file);
    passes('has a strict policy', quiet.hasAPolicy, file);
    passes('is whole without JavaScript', quiet.isWholeWithoutScript, file);
    passes('has links that all lead somewhere', links.everyLinkLeadsSomewhere, file);
    passes('fits its width', look.fitsItsWidth, file);
    // In every look once: to look at ten runs in three more would take minutes.
    const looks = name === 'one run' ? undefined : ['light'];
    passes('is accessible, as far as axe-core can tell', (open, path) => look.isAccessible(open, path, looks), file);
  });
}

describe('one run, used', () => {
  passes('enforces its policy', quiet.enforcesItsPolicy, given.one);
  passes('shows the target of every link', links.everyTargetIsShown, given.one);
  passes('works by keyboard', worksByKeyboard, given.one);
  passes('has maps that arrows go through', mapsGoByArrows, given.one);
  passes('steps through its timelines', controls.timelinesStep, given.one);
  passes('steps through its timelines by keyboard', controls.timelinesStepByKey, given.one);
  passes('obeys the choice of a theme', controls.themeIsObeyed, given.one);
});

describe('ten runs, used', () => {
  passes('sorts', controls.sortingSorts, given.ten);
  passes('filters', controls.filterFilters, given.ten);
  passes('compares the runs that are chosen', controls.pairsAreCompared, given.ten);
  passes('has links that show what their sender saw', linksRestore, given.ten);
  passes('works by keyboard', worksByKeyboard, given.ten);
  passes('is small', speed.isSmall, given.ten);
  passes('is soon there', speed.isSoonThere, given.ten);
});

describe('a hostile record, used', () => {
  passes('shows markup as text', quiet.showsMarkupAsText, given.hostile);
  passes('takes any fragment', quiet.takesAnyFragment, given.hostile);
});

test('pictures', { timeout: 240_000 }, async () => {
  for (const [name, file] of Object.entries({ one: given.one, ten: given.ten })) {
    await problemsOf((open) => look.pictures(open, `${given.output}/pictures`, name), file);
  }
});

// That each check notices what it looks for takes minutes: asked for with --self-test.
describe('a broken page is noticed', { skip: !given['self-test'] }, () => {
  const folder = `${given.output}/broken`;
  mkdirSync(folder, { recursive: true });
  for (const [page, breakages] of Object.entries(BREAKAGES)) {
    const whole = readFileSync(given[page], 'utf8');
    for (const [name, check, change, says] of breakages) {
      test(name, { timeout: 120_000 }, async () => {
        const broken = change(whole);
        assert.notEqual(broken, whole, 'the page has nothing to break in this way');
        const file = `${folder}/${name.replaceAll(' ', '-')}.html`;
        writeFileSync(file, broken);
        assert.match((await problemsOf(check, file)).join('\n'), says);
      });
    }
  }
});
