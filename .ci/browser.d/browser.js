// A Chromium, and visits to a page on disk in which everything is heard that the page says
// or asks for.
import { pathToFileURL } from 'node:url';

import puppeteer from 'puppeteer-core';

export const DESK = { width: 1280, height: 900 };
// The narrowest phones that are still sold are 360 CSS pixels wide.
export const PHONE = { width: 360, height: 740, hasTouch: true, isMobile: true };

export function launch(executablePath) {
  return puppeteer.launch({
    executablePath,
    // A pipe opens no port, and Chromium ends when the program at its other end does.
    pipe: true,
    args: [
      // CI is root in a container. Chromium's sandbox does not run as root, and needs user
      // namespaces, which containers withhold; the pages are our own and reach no network.
      '--no-sandbox',
      // No name is looked up and no address reached, whatever a page asks for.
      '--host-resolver-rules=MAP * ~NOTFOUND',
      '--force-color-profile=srgb',
      '--hide-scrollbars',
    ],
  });
}

// A page opened once, in a profile of its own.
export class Visit {
  heard = [];

  constructor(page, url) {
    this.page = page;
    this.url = url;
    const hear = (text) => this.heard.push(text);
    page.on('console', (message) => hear(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => hear(`error: ${error?.message ?? error}`));
    page.on('dialog', (dialog) => {
      hear(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url().split('#', 1)[0] !== url) hear(`request: ${request.url()}`);
    });
    page.on('popup', (other) => hear(`window: ${other.url()}`));
    page.on('error', (error) => hear(`crash: ${error.message}`));
  }

  // Two frames: what a script has changed is then laid out and painted. Never to be waited
  // for with JavaScript off: expressions of the inspector still run there, callbacks do not.
  settle() {
    return this.page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
  }

  // One value of an expression of the page.
  ask(what, ...rest) {
    return this.page.evaluate(what, ...rest);
  }

  async close() {
    await this.page.browserContext().close();
  }
}

// Opens `file` by file://. `fragment` comes after the #; `script: false` turns JavaScript
// off; `first` runs in the page before anything of its own.
export async function visit(browser, file, options = {}) {
  const { scheme = 'light', size = DESK, script = true, fragment = '', first } = options;
  // Tabs of one window would hide each other, and what is hidden is not drawn.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(size);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setJavaScriptEnabled(script);
  if (first) await page.evaluateOnNewDocument(first);
  const { href } = pathToFileURL(file);
  const opened = new Visit(page, href);
  await page.goto(fragment ? `${href}#${fragment}` : href, { waitUntil: 'load' });
  if (script) await opened.settle();
  return opened;
}
