// Links within the page, and the fragment that carries what a reader has chosen.

export async function everyLinkLeadsSomewhere(open) {
  const { page } = await open();
  const problems = await page.evaluate(() => {
    const found = [];
    const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
    found.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id twice: ${id}`));
    const known = new Set(ids);
    for (const link of document.querySelectorAll('a[href]')) {
      const href = link.getAttribute('href');
      if (href.startsWith('#')) {
        const id = decodeURIComponent(href.slice(1));
        if (!known.has(id)) found.push(`leads nowhere: ${href}`);
      } else if (!['file:', 'http:', 'https:'].includes(link.protocol)) {
        found.push(`is no link to a page or file: ${href}`);
      }
    }
    const refers = ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for', 'headers', 'list'];
    for (const name of refers) {
      for (const one of document.querySelectorAll(`[${name}]`)) {
        const lost = one.getAttribute(name).split(/\s+/).filter((id) => id && !known.has(id));
        found.push(...lost.map((id) => `${name} names nothing: ${id}`));
      }
    }
    return found;
  });
  return [...new Set(problems)];
}

// Follows each link of the page to its target: it is there to be seen, at the top, or as far
// up as the page's end allows.
export async function everyTargetIsShown(open) {
  const { page } = await open();
  return page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const found = [];
    const links = [...document.querySelectorAll('a[href^="#"]')];
    for (const href of new Set(links.map((link) => link.getAttribute('href')))) {
      const target = document.getElementById(decodeURIComponent(href.slice(1)));
      if (target === null) continue;
      window.scrollTo(0, document.documentElement.scrollHeight);
      links.find((link) => link.getAttribute('href') === href).click();
      await frame();
      const { top, bottom, width } = target.getBoundingClientRect();
      if (width === 0 || bottom < 0 || top > innerHeight) found.push(`${href} is not shown when its link is followed`);
    }
    return found;
  });
}
