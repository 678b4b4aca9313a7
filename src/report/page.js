// Sorts, filters, picks runs and themes, gives the command of a cell of the map; keeps it in the
// address, so that a link shows what its sender saw. It calculates nothing that a record does
// not have: findings and intervals are in the page. Without it the page is complete.
//
// Hooks, for tests: #theme, #filter, #shown (how many rows are left), #pair-base, #pair-other,
// #pair-count and #pair-notes (what is to be minded of the two), button[data-sort] in the heads
// of tables.
// The address: #theme=dark&filter=epoll&pair=0-2&sort=3:1:d&at=map; a plain #map works as ever.
"use strict";
{
  const state = { theme: "", filter: "", pair: "", sort: "", at: "" };
  const make = (name, attributes, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);

  // The address.
  const keep = () => {
    const parts = Object.entries(state).filter(([, value]) => value !== "");
    const only = parts.length === 1 && state.at !== "";
    const text = only ? state.at : new URLSearchParams(parts).toString();
    history.replaceState(null, "", text === "" ? location.pathname + location.search : `#${text}`);
  };
  const set = (key, value) => {
    state[key] = value;
    keep();
  };
  // Whoever writes a link may write anything.
  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const read = () => {
    const text = location.hash.slice(1);
    const given = text.includes("=") ? new URLSearchParams(text) : new URLSearchParams({ at: decoded(text) });
    for (const key of Object.keys(state)) state[key] = given.get(key) ?? "";
  };

  // What is chosen at the top.
  const choice = (id, label, options, chosen) => {
    const list = make("select", { id });
    for (const [value, text] of options) list.append(make("option", { value }, text));
    list.addEventListener("change", () => chosen(list.value));
    return [list, make("label", { for: id }, label, list)];
  };
  const themes = [["", "as the system"], ["light", "light"], ["dark", "dark"]];
  const [theme, themeLabel] = choice("theme", "Theme", themes, (value) => { set("theme", value); dress(); });
  const dress = () => {
    if (!themes.some(([name]) => name === state.theme)) state.theme = "";
    theme.value = state.theme;
    if (state.theme === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = state.theme;
  };

  // Rows are found by their own name and by that of their table.
  const rows = all("main tbody tr").filter((row) => one("th[scope=row]", row)).map((row) => {
    const name = one("th[scope=row]", row).textContent;
    const table = row.closest("table").caption?.textContent ?? "";
    return { row, text: `${table} ${name}`.toLowerCase() };
  });
  const filter = make("input", { id: "filter", type: "search", autocomplete: "off", placeholder: "epoll accept_burst" });
  const shown = make("p", { id: "shown", role: "status" });
  const sift = () => {
    filter.value = state.filter;
    const words = state.filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
    let left = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      left += row.hidden ? 0 : 1;
    }
    shown.textContent = words.length === 0 ? "" : `${left} of ${rows.length} rows`;
    drawPair();
  };
  filter.addEventListener("input", () => { set("filter", filter.value); sift(); });
  const tools = make("div", { class: "tools", role: "group", "aria-label": "View" });
  tools.append(make("label", { for: "filter" }, "Filter rows", filter), shown, themeLabel);
  one("header").append(tools);

  // Sorting: numbers by their size whatever their unit, the rest as text behind them; what says
  // nothing last.
  const units = { ns: 1, "\u00b5s": 1e3, ms: 1e6, s: 1e9 };
  const size = (text) => {
    const found = /^[^\d-]*(-?[\d,]*\.?\d+)[\s\u00a0]*(ns|\u00b5s|ms|s)?\b/.exec(text);
    return found ? Number(found[1].replaceAll(",", "")) * (units[found[2]] ?? 1) : null;
  };
  const tables = all("main table").filter((table) =>
    table.tHead?.rows.length === 1 && table.tBodies.length === 1 && table.tBodies[0].rows.length > 1 && !table.matches(".map, details:not([open]) *"));
  // A pair of runs that was chosen has a table of this script's own, the last of them.
  const place = one("#pair");
  const heads = [["Benchmark", ""], ["Ratio in the base", "number"], ["in the other", "number"], ["Ratio of ratios", "number"], ["95 % interval", "number"], ["Finding", ""], ["Median in the base", "number"], ["in the other", "number"]];
  const head = make("tr", {}, ...heads.map(([name, kind]) => make("th", { scope: "col", class: kind }, name)));
  const caption = make("caption", { class: "unseen" }, "The two chosen runs, benchmark by benchmark; medians are judged by nobody");
  const body = make("tbody", {});
  const pairTable = make("table", {}, caption, make("thead", {}, head), body);
  const chosenPair = make("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": "The two chosen runs" }, pairTable);
  if (place) tables.push(pairTable);
  const home = tables.map((table) => [...table.tBodies[0].rows]);
  const sortBy = (table, column, down) => {
    const body = table.tBodies[0];
    const sorted = [...home[tables.indexOf(table)]];
    const key = (row) => {
      const said = [...row.cells[column]?.childNodes ?? []].filter((node) => !["SMALL", "SUP"].includes(node.nodeName));
      const text = said.map((node) => node.textContent).join("").trim();
      const number = column === 0 ? null : size(text);
      const kind = text === "" || text === "\u2013" ? 2 : number === null ? 1 : 0;
      return { kind, text, number };
    };
    const keys = new Map(sorted.map((row) => [row, key(row)]));
    sorted.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (a.kind !== b.kind) return a.kind - b.kind;
      const by = a.kind === 0 ? a.number - b.number : 0;
      return (down ? -1 : 1) * (by || a.text.localeCompare(b.text));
    });
    body.append(...sorted);
  };
  const sorts = () => new Map(state.sort.split(";").filter((text) => text !== "").map((text) => {
    const [table, column, way] = text.split(":");
    return [Number(table), [Number(column), way === "d"]];
  }));
  for (const [at, table] of tables.entries()) {
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      if (head.matches(".strip") || head.textContent.trim() === "") continue;
      const button = make("button", { type: "button", "data-sort": `${at}:${column}` });
      const name = [...head.childNodes].filter((node) => node.nodeName !== "SMALL");
      button.textContent = name.map((node) => node.textContent).join("").trim();
      for (const node of name) node.remove();
      head.prepend(button);
      button.addEventListener("click", () => {
        const chosen = sorts();
        const [before, down] = chosen.get(at) ?? [-1, true];
        if (before === column && down) chosen.delete(at);
        else chosen.set(at, [column, before === column]);
        set("sort", [...chosen].map(([t, [c, d]]) => `${t}:${c}:${d ? "d" : "a"}`).join(";"));
        order();
      });
    }
  }
  const order = () => {
    const chosen = sorts();
    for (const [at, table] of tables.entries()) {
      const [column, down] = chosen.get(at) ?? [-1, false];
      for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
        if (place === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
      if (column >= 0 && table.tHead.rows[0].cells.length > column) sortBy(table, column, down);
      else if (table.tBodies[0].rows[0] !== home[at][0] || table.dataset.sorted) table.tBodies[0].append(...home[at]);
      if (column >= 0) table.dataset.sorted = "yes";
      else delete table.dataset.sorted;
    }
  };

  // Pairs of runs: any of the page's, judged when it was written. How that is spelt is told
  // where it is written, in pairs.rs.
  const lines = one("#pairs")?.textContent.split("\n") ?? [];
  const many = Number(lines[0] ?? 0);
  const benchmarks = lines.slice(1, many + 1).map((line) => line.split("\t"));
  const said = (kind) => lines.slice(many + 1).filter((line) => line.startsWith(kind)).map((line) => line.slice(1).split("\t"));
  const [judged, without, notes] = ["=", "#", "!"].map((kind) => new Map(said(kind).map(([pair, ...rest]) => [pair, rest])));
  const reasons = said("?").map(([reason]) => reason);
  const names = all("#runs th.run").map((head) => head.textContent);
  const picked = () => {
    const [base, other] = state.pair.split("-").map(Number);
    const fits = state.pair !== "" && base !== other && names[base] !== undefined && names[other] !== undefined;
    return fits ? [base, other] : [0, 1];
  };
  const pickers = place ? ["base", "other"].map((which, at) =>
    choice(`pair-${which}`, which === "base" ? "Base" : "compared with it", names.map((name, n) => [String(n), name]), (value) => {
      const pair = picked();
      const before = pair[at];
      pair[at] = Number(value);
      // The same run twice is no pair: the two change places.
      if (pair[0] === pair[1]) pair[1 - at] = before;
      set("pair", pair.join("-"));
      drawPair();
    })) : [];
  const count = make("p", { id: "pair-count", role: "status" });
  const minded = make("ul", { id: "pair-notes", class: "reasons" });
  if (place) {
    const line = make("div", { class: "tools", role: "group", "aria-label": "Runs to compare" }, ...pickers.map(([, label]) => label), count);
    place.append(make("h3", {}, "Any two of them alone"), line, minded);
  }
  // To three digits; the end of an interval is not called one when it is not: a finding may hang
  // on it.
  const three = (n, isEnd) => {
    if (!(n > 0 && Number.isFinite(n))) return "\u2013";
    const rounded = Number(n.toPrecision(3));
    if (isEnd && rounded === 1 && n !== 1) return n.toFixed(4);
    return rounded.toFixed(Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(rounded)))));
  };
  const drawPair = () => {
    if (!place) return;
    const [base, other] = picked();
    for (const [at, [list]] of pickers.entries()) list.value = String([base, other][at]);
    const isChosen = state.pair !== "";
    one("#beside").open = !isChosen;
    minded.hidden = !isChosen;
    if (!isChosen) {
      count.textContent = "as in the tables below, until two are chosen";
      chosenPair.remove();
      return;
    }
    place.append(chosenPair);
    // A pair was judged in one order; the other is its reverse.
    const turned = base > other;
    const changes = judged.get(turned ? `${other}-${base}` : `${base}-${other}`) ?? [];
    const whys = without.get(`${base}-${other}`) ?? without.get(`${other}-${base}`) ?? [];
    const words = state.filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const found = { better: 0, worse: 0 };
    const drawn = [];
    for (const [at, [id, ...runs]] of benchmarks.entries()) {
      const change = /^(\S+) ([^\sbw]+)([bw]?)$/.exec(changes[at] ?? "");
      const [ratio, off] = change ? change.slice(1, 3).map(Number) : [];
      const point = turned ? 1 / ratio : ratio;
      const [low, high] = [point / off, point * off];
      const finding = { b: turned ? "worse" : "better", w: turned ? "better" : "worse" }[change?.[4]] ?? "";
      if (finding !== "") found[finding] += 1;
      if (!words.every((word) => id.toLowerCase().includes(word))) continue;
      const [[m, r], [n, q]] = [base, other].map((run) => (runs[run] ?? "").split("|"));
      const ends = change ? [`${three(point)}\u00d7`, `[${three(low, true)}, ${three(high, true)}]`, finding || "not distinguishable"] : ["", "", reasons[whys[at]] ?? "in neither of the two"];
      const cells = [r ? `${r}\u00d7` : "", q ? `${q}\u00d7` : "", ...ends, m ?? "", n ?? ""];
      const kind = (column) => (column !== 4 ? "number" : change ? finding : "absent");
      drawn.push(make("tr", {}, make("th", { scope: "row" }, id), ...cells.map((text, column) => make("td", { class: kind(column) }, text))));
    }
    body.replaceChildren(...drawn);
    home[tables.indexOf(pairTable)] = drawn;
    minded.replaceChildren(...(notes.get(`${base}-${other}`) ?? []).filter((note) => note !== "").map((note) => make("li", {}, note)));
    count.textContent = `${found.better} better, ${found.worse} worse, of ${changes.filter((text) => text !== "").length} compared`;
    order();
  };

  // A cell of the map leads to its entry, whose command becomes that of the cell's own row. Tab
  // stops once at a map, and arrows go from cell to cell: they are thousands.
  const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  for (const table of all("table.map")) {
    const links = all("tbody td a", table);
    for (const link of links.slice(1)) link.tabIndex = -1;
    const frame = table.closest(".scroll");
    frame.setAttribute("aria-label", `${frame.getAttribute("aria-label")}; arrow keys go from cell to cell`);
    table.addEventListener("focusin", (event) => {
      if (!links.includes(event.target)) return;
      for (const link of links) link.tabIndex = link === event.target ? 0 : -1;
    });
    table.addEventListener("keydown", (event) => {
      const from = event.target.closest("td");
      const [down, right] = ways[event.key] ?? [];
      if (!from || down === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      const shown = [...table.tBodies[0].rows].filter((row) => !row.hidden);
      let [row, cell] = [shown.indexOf(from.parentElement), from.cellIndex];
      do {
        row += down;
        cell += right;
      } while (shown[row]?.cells[cell] && !one("a", shown[row].cells[cell]));
      const to = shown[row]?.cells[cell];
      if (to?.localName !== "td") return;
      event.preventDefault();
      one("a", to).focus();
    });
    table.addEventListener("click", (event) => {
      const link = event.target.closest("td a");
      const command = link && document.getElementById(link.hash.slice(1))?.querySelector("code");
      if (!command) return;
      const cell = link.closest("td");
      const column = table.tHead.rows[1].cells[cell.cellIndex - 1].dataset.show;
      command.textContent = `rstall show ${column} ${one("th", cell.parentElement).dataset.show}`;
    });
  }

  // Where the page is looked at.
  const go = () => {
    for (const marked of all(".at")) marked.classList.remove("at");
    const target = state.at === "" ? null : document.getElementById(state.at);
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.classList.add("at");
    target.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    state.at = decoded(link.hash.slice(1));
    keep();
    go();
    const target = document.getElementById(state.at);
    if (target) {
      if (!target.matches("a, button, input, select, [tabindex]")) target.setAttribute("tabindex", "-1");
      target.focus({ preventScroll: true });
    }
  });
  const restore = () => {
    read();
    dress();
    sift();
    order();
    go();
  };
  addEventListener("hashchange", restore);
  restore();
}
