// Draws cell.html and compare.html from the scripts in data/. No address but this folder is used.
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const AT_ONCE = 40; // images shown before "more" is asked for
const sonotune = {
  waiting: new Map(),
  receive(key, content) { this.waiting.get(key)(content); },
};
const loaded = new Map();

function load(key) {
  if (!loaded.has(key)) {
    loaded.set(key, new Promise((resolve, reject) => {
      sonotune.waiting.set(key, resolve);
      const script = document.createElement("script");
      script.src = `data/${encodeURIComponent(key)}.js`;
      script.onerror = () => reject(new Error(`there is no ${key}`));
      document.head.append(script);
    }));
  }
  return loaded.get(key);
}

// Text goes in as text, never as HTML.
function make(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "image", "line", "polyline", "text", "title"].includes(name);
  const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const at = (id) => document.getElementById(id);
const dice = (value) => (value === null ? "not scored" : value.toFixed(3));
const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);

function picture(cell, one) {
  const [height, width] = cell.size;
  const text = `${one.name}: ${cell.strategy}, Dice ${dice(one.dice)}`
    + (one.found ? "" : ", nothing found") + (one.truth ? "" : ", no object in the ground truth");
  const box = { class: "image", role: "img", viewBox: `0 0 ${width} ${height}`, "aria-label": text };
  const href = `images/${encodeURIComponent(cell.dataset)}/${one.row}.png`;
  return make("svg", box,
    make("image", { href, width, height }),
    make("path", { class: "truth", d: one.truth }),
    make("path", { class: "found", d: one.found }));
}

// Shows a list bit by bit; a screen with thousands of images helps nobody.
function list(items, draw) {
  const target = at("images"), more = at("more");
  target.replaceChildren();
  let shown = 0;
  more.onclick = () => {
    const next = items.slice(shown, shown + AT_ONCE).map(draw);
    target.append(...next);
    if (shown && next.length) { next[0].tabIndex = -1; next[0].focus(); }
    shown += next.length;
    more.hidden = shown >= items.length;
  };
  more.onclick();
}

function curve(run) {
  const epochs = run.epochs, last = Math.max(1, epochs.length);
  const losses = epochs.map((row) => row[1]).filter((value) => value !== null);
  const most = Math.max(...losses, 1e-9);
  const x = (epoch) => 30 + (270 * epoch) / last, y = (share) => 130 - 115 * share;
  const line = (column, scale) => epochs.filter((row) => row[column] !== null)
    .map((row) => `${x(row[0]).toFixed(1)},${y(row[column] / scale).toFixed(1)}`).join(" ");
  const best = Math.max(0, ...epochs.map((row) => row[2] ?? 0));
  const said = `Fold ${run.fold}: ${epochs.length} epochs, best validation Dice ${best.toFixed(3)}`
    + (run.failed ? ", failed" : "");
  const number = (left, top, text, anchor = "end") =>
    make("text", { x: left, y: top, "text-anchor": anchor }, text);
  return make("figure", {},
    make("svg", { class: "curve", role: "img", viewBox: "0 0 330 165", "aria-label": said },
      make("line", { class: "axis", x1: 30, y1: 130, x2: 300, y2: 130 }),
      make("line", { class: "axis", x1: 30, y1: 15, x2: 30, y2: 130 }),
      number(26, 19, "1"), number(26, 134, "0"), number(300, 145, String(last)),
      number(165, 160, "epoch", "middle"),
      number(326, 19, most.toFixed(2)),
      make("polyline", { class: "line dice", points: line(2, 1) }),
      make("polyline", { class: "line loss", points: line(1, most) })),
    make("figcaption", {}, `${said}. Solid: validation Dice (left); broken: validation loss (up to `
      + `${most.toFixed(2)}).`));
}

async function showCell() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (!key) { at("heading").textContent = "Choose a number in the table"; return; }
  const cell = await load(key);
  const title = `${cell.strategy}, ${cell.percent === "0" ? "untrained" : cell.percent + "%"} of `
    + cell.dataset;
  at("heading").textContent = title;
  document.title = title;
  const link = `compare.html#${encodeURIComponent([cell.dataset, cell.percent, cell.strategy, ""].join("|"))}`;
  at("compare").replaceChildren(
    ...(cell.percent === "0" ? [] : [make("a", { href: link }, "Compare with another strategy")]));
  const trained = cell.runs.filter((run) => run.epochs.length);
  at("curves").replaceChildren(...(trained.length ? trained.map(curve) : ["Nothing was trained."]));
  list(cell.images, (one) => make("li", {}, make("figure", {}, picture(cell, one),
    make("figcaption", {}, `${one.name}: Dice ${dice(one.dice)} (fold ${one.fold})`))));
}

async function showPair() {
  const [dataset, percent] = at("where").value.split("|");
  const names = [at("first").value, at("second").value];
  history.replaceState(null, "", `#${encodeURIComponent([dataset, percent, ...names].join("|"))}`);
  const keyOf = (name) => `${dataset}-${name}-${percent}`;
  let cells, differences;
  try {
    [differences, ...cells] = await Promise.all(["differences", ...names.map(keyOf)].map(load));
  } catch (error) {
    at("difference").textContent = `Not measured: ${error.message}.`;
    at("images").replaceChildren();
    at("more").hidden = true;
    return;
  }
  at("difference").textContent = sentence(differences, dataset, percent, names);
  const others = new Map(cells[1].images.map((one) => [`${one.fold}/${one.row}`, one]));
  const pairs = cells[0].images.map((one) => [one, others.get(`${one.fold}/${one.row}`)])
    .filter(([, other]) => other)
    .map(([one, other]) => [one, other, one.dice === null || other.dice === null
      ? 0 : one.dice - other.dice])
    .sort((a, b) => b[2] - a[2]);
  list(pairs, ([one, other, gap]) => make("li", {},
    make("p", {}, `${one.name} (fold ${one.fold}): difference ${signed(gap)}`),
    ...[[cells[0], one], [cells[1], other]].map(([cell, shown]) => make("figure", {},
      picture(cell, shown),
      make("figcaption", {}, `${cell.strategy}: Dice ${dice(shown.dice)}`)))));
}

function sentence(differences, dataset, percent, [first, second]) {
  if (first === second) return "Choose two different strategies.";
  const there = differences[[dataset, percent, first, second].join("-")];
  const back = differences[[dataset, percent, second, first].join("-")];
  const row = there ?? (back && [-back[0], back[2] && -back[2], back[1] && -back[1]]);
  if (!row || row[0] === null) return "The difference of these two was not measured.";
  const mean = `${first} minus ${second}: Dice ${signed(row[0])} on average`;
  if (row[1] === null) return `${mean}; too few folds for a test.`;
  const shown = row[1] > 0 ? `${first} is better` : row[2] < 0 ? `${second} is better`
    : "not shown which is better";
  return `${mean}, simultaneous 95% interval ${signed(row[1])} to ${signed(row[2])}: ${shown}.`;
}

const wanted = document.currentScript.dataset.page;
if (wanted === "cell") {
  addEventListener("hashchange", showCell);
  showCell().catch((error) => { at("heading").textContent = `Nothing to show: ${error.message}`; });
} else {
  const [dataset, percent, first, second] = decodeURIComponent(location.hash.slice(1)).split("|");
  const choose = (id, value) => {
    if ([...at(id).options].some((option) => option.value === value)) at(id).value = value;
  };
  choose("where", `${dataset}|${percent}`);
  choose("first", first);
  choose("second", second);
  if (at("first").value === at("second").value) {
    at("second").selectedIndex = at("first").selectedIndex ? 0 : 1;
  }
  at("choice").addEventListener("change", showPair);
  showPair();
}
