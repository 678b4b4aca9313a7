// Steps through the timelines: two buttons, or the arrow keys while one of them has the focus.
// Without it the page is complete: each drawing has its list of steps.
"use strict";
for (const figure of document.querySelectorAll("figure.play")) {
  const drawn = figure.querySelectorAll("svg .s");
  const told = figure.querySelectorAll("ol > li");
  if (!told.length || drawn.length !== told.length) continue;
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-label", `Steps of ${figure.querySelector("svg title").textContent}`);
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  const band = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["class", "h"], ["width", "100%"], ["height", "19"]]) band.setAttribute(name, value);
  let at = -1;
  const go = (to) => {
    if (0 > to || to >= told.length) return;
    for (const list of [drawn, told]) {
      list[at]?.classList.remove("on");
      list[to].classList.add("on");
    }
    at = to;
    band.setAttribute("y", drawn[at].transform.baseVal[0].matrix.f - 14);
    drawn[at].ownerSVGElement.querySelector("path").before(band);
    drawn[at].lastElementChild.scrollIntoView({ block: "nearest", inline: "nearest" });
    said.textContent = `${at + 1} of ${told.length}, ${told[at].textContent}`;
    previous.setAttribute("aria-disabled", String(1 > at));
    next.setAttribute("aria-disabled", String(at === told.length - 1));
  };
  const button = (name, by) => {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = name;
    one.addEventListener("click", () => {
      if (one.getAttribute("aria-disabled") !== "true") go(Math.max(0, at + by));
    });
    controls.append(one);
    return one;
  };
  const previous = button("Previous step", -1);
  const next = button("Next step", 1);
  previous.setAttribute("aria-disabled", "true");
  const keys = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };
  controls.addEventListener("keydown", (event) => {
    const to = event.key === "Home" ? 0 : event.key === "End" ? told.length - 1 : at + keys[event.key];
    if (Number.isNaN(to) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(Math.max(0, to));
  });
  controls.append(said);
  figure.querySelector(".scroll").before(controls);
}
