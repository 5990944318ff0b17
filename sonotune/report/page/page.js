"use strict";
// Curves and test images come as scripts from the folder "page" beside this page: a page on a disk
// may load no other files. Text goes in as text, never as HTML.
const SVG = "http://www.w3.org/2000/svg", AT_ONCE = 24, MINUS = "\u2212";
const values = JSON.parse(document.getElementById("values").textContent);
const at = (id) => document.getElementById(id);
const dice = (value) => (value === null ? "not scored" : value.toFixed(3));
const signed = (value) => (value < 0 ? MINUS : "+") + Math.abs(value).toFixed(3);
const label = (name) => values.strategies[name] ?? name;
// Snakemake's report shows the page in a frame and without its folder.
const framed = window.self !== window.top;

const waiting = new Map(), loaded = new Map();
globalThis.sonotune = { receive: (key, content) => waiting.get(key)(content) };

function load(key) {
  if (framed) return Promise.reject(new Error("this copy has no details"));
  if (!loaded.has(key)) {
    loaded.set(key, new Promise((resolve, reject) => {
      waiting.set(key, resolve);
      const script = document.createElement("script");
      script.src = `page/data/${encodeURIComponent(key)}.js`;
      script.onerror = () => reject(new Error("its file is missing"));
      document.head.append(script);
    }));
  }
  return loaded.get(key);
}

function lacking() {
  for (const one of document.querySelectorAll(".lacking")) one.hidden = false;
  for (const one of document.querySelectorAll(".beside, #compare-load")) one.hidden = true;
}

function make(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "image", "line", "polyline", "text"].includes(name);
  const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function picture(dataset, images, result, strategy) {
  const image = images[result.row], [height, width] = image.size;
  const text = `${image.name}: ${label(strategy)}, Dice ${dice(result.dice)}`
    + (result.prediction ? "" : ", nothing marked") + (image.reference ? "" : ", no object in the reference");
  const box = make("div", { class: "picture" },
    make("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
      make("image", { href: `page/images/${encodeURIComponent(dataset)}/${result.row}.png`, width, height, preserveAspectRatio: "none" }),
      make("path", { class: "reference", d: image.reference }),
      make("path", { class: "prediction", d: result.prediction })));
  box.style.aspectRatio = `1 / ${image.aspect}`;
  if (image.bar) {
    const bar = make("span", { class: "scale", "aria-hidden": "true" }, `${image.bar[0]} mm`);
    bar.style.width = `${100 * image.bar[1]}%`;
    box.append(bar);
  }
  return box;
}

// Shows a list bit by bit; a screen with thousands of images helps nobody.
function list(name, items, draw) {
  const target = at(`${name}-images`), more = at(`${name}-more`);
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
  const most = Math.max(...epochs.map((row) => row[1] ?? 0), 1e-9);
  const x = (epoch) => 44 + (240 * epoch) / last, y = (share) => 130 - 115 * share;
  const points = (column, scale) => epochs.filter((row) => row[column] !== null)
    .map((row) => `${x(row[0]).toFixed(1)},${y(row[column] / scale).toFixed(1)}`).join(" ");
  const best = Math.max(0, ...epochs.map((row) => row[2] ?? 0));
  const said = `Fold ${run.fold}: ${epochs.length} epochs, best validation Dice ${best.toFixed(3)}`
    + (run.failed ? ", failed" : "");
  const word = (left, top, text, anchor, more = {}) =>
    make("text", { x: left, y: top, "text-anchor": anchor, ...more }, text);
  return make("figure", {},
    make("svg", { class: "curve", role: "img", viewBox: "0 0 340 165", "aria-label": said },
      make("line", { class: "axis", x1: 44, y1: 130, x2: 284, y2: 130 }),
      make("line", { class: "axis", x1: 44, y1: 15, x2: 44, y2: 130 }),
      make("line", { class: "axis", x1: 284, y1: 15, x2: 284, y2: 130 }),
      word(40, 19, "1", "end"), word(40, 134, "0", "end"), word(284, 145, String(last), "middle"),
      word(164, 160, "epoch", "middle"), word(288, 19, most.toFixed(2), "start"), word(288, 134, "0", "start"),
      word(0, 0, "validation Dice", "middle", { class: "dice", transform: "translate(16 72) rotate(-90)" }),
      word(0, 0, "validation loss", "middle", { class: "loss", transform: "translate(330 72) rotate(90)" }),
      make("polyline", { class: "dice", points: points(2, 1) }),
      make("polyline", { class: "loss", points: points(1, most) })),
    make("figcaption", {}, said));
}

// "sus-whole-0.125" is an entry of Table II; names of strategies and data sets have no dash.
function parts(key) {
  const [dataset, strategy, fraction] = key.split("-");
  return { dataset, strategy, fraction };
}

async function showEntry(key) {
  const { dataset, strategy, fraction } = parts(key);
  at("entry").hidden = false;
  at("entry-title").textContent = `${label(strategy)}: ${values.datasets[dataset] ?? dataset}, `
    + (fraction === "0" ? "not fine-tuned" : `${values.fractions[fraction]} of the images`);
  at("curves").replaceChildren();
  at("entry-images").replaceChildren();
  at("entry-more").hidden = true;
  at("entry-compare").replaceChildren(...(fraction === "0" ? [] : [
    make("a", { href: "#compare", "data-go": `compare/${dataset}-${fraction}/${strategy}/` }, "Compare with another strategy")]));
  at("entry").focus();
  const [entry, images] = await Promise.all([load(key), load(`${dataset}-images`)]);
  const trained = entry.runs.filter((run) => run.epochs.length);
  at("curves").replaceChildren(...(trained.length ? trained.map(curve) : ["Nothing was trained."]));
  list("entry", entry.images, (result) => make("li", {}, make("figure", {},
    picture(dataset, images, result, strategy),
    make("figcaption", {}, `${images[result.row].name}: Dice ${dice(result.dice)} (fold ${result.fold})`))));
}

function chosen() {
  const [dataset, fraction] = at("where").value.split("|");
  return { dataset, fraction, first: at("first").value, second: at("second").value };
}

function showDifference() {
  const { dataset, fraction, first, second } = chosen();
  const there = values.pairs[[dataset, fraction, first, second].join("|")];
  const back = values.pairs[[dataset, fraction, second, first].join("|")];
  const minus = (value) => (value === null ? null : -value);
  const pair = there ?? (back && [minus(back[0]), minus(back[2]), minus(back[1]), back[3]]);
  let text = "The difference between these two was not measured.";
  if (first === second) text = "Choose two different strategies.";
  else if (pair && pair[0] !== null) {
    text = `${label(first)} minus ${label(second)}: Dice ${signed(pair[0])}`;
    if (pair[1] === null) text += "; too few folds for a test.";
    else {
      text += `, 95% interval ${signed(pair[1])} to ${signed(pair[2])}, `
        + (pair[3] < 0.001 ? "p < 0.001" : `p = ${pair[3].toFixed(3)}`) + " (adjusted for all pairs): "
        + (pair[1] > 0 ? `${label(first)} is better.` : pair[2] < 0 ? `${label(second)} is better.`
          : "no significant difference.");
    }
  }
  at("difference").textContent = text;
  at("compare-images").replaceChildren();
  at("compare-more").hidden = at("compare-key").hidden = true;
  at("compare-load").hidden = framed || first === second;
}

async function showPair() {
  const { dataset, fraction, first, second } = chosen();
  const [entry, other, images] = await Promise.all([
    load(`${dataset}-${first}-${fraction}`), load(`${dataset}-${second}-${fraction}`), load(`${dataset}-images`)]);
  const others = new Map(other.images.map((image) => [`${image.fold}/${image.row}`, image]));
  const gap = (a, b) => (a.dice === null || b.dice === null ? 0 : a.dice - b.dice);
  const pairs = entry.images.map((image) => [image, others.get(`${image.fold}/${image.row}`)])
    .filter((pair) => pair[1]).sort((a, b) => gap(...b) - gap(...a));
  at("compare-key").hidden = false;
  at("compare-load").hidden = true;
  list("compare", pairs, ([a, b]) => make("li", {},
    make("p", {}, `${images[a.row].name} (fold ${a.fold}): difference ${signed(gap(a, b))}`),
    ...[[first, a], [second, b]].map(([name, image]) => make("figure", {},
      picture(dataset, images, image, name),
      make("figcaption", {}, `${label(name)}: Dice ${dice(image.dice)}`)))));
}

function choose(id, value) {
  if ([...at(id).options].some((option) => option.value === value)) at(id).value = value;
}

function route() {
  const [kind, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (kind === "entry" && rest[0]) return showEntry(rest[0]).catch(lacking);
  if (kind === "compare" && rest[0]) {
    const [dataset, fraction] = rest[0].split("-");
    choose("where", `${dataset}|${fraction}`);
    choose("first", rest[1]);
    if (rest[2]) choose("second", rest[2]);
    else if (at("second").value === rest[1]) at("second").selectedIndex = at("first").selectedIndex ? 0 : 1;
    showDifference();
    at("compare").focus();
    return framed ? undefined : showPair().catch(lacking);
  }
  const target = kind.startsWith("at-") && at(kind);
  if (target) { target.open = true; target.scrollIntoView(); }
  return undefined;
}

function sortable(table) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.textContent.trim() === "" || head.classList.contains("wide")) return;
    if (!head.querySelector("button")) {
      const button = make("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
    }
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.sort ?? cell.textContent.trim();
        const unit = { k: 1e3, M: 1e6, min: 60 }[text.match(/^[\d.]+ ?(k|M|min)$/)?.[1]] ?? 1;
        const number = parseFloat(text) * unit;
        return Number.isNaN(number) ? text.toLowerCase() : number;
      };
      const order = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? 1 : -1);
      body.append(...[...body.rows].sort((a, b) => (down ? -1 : 1) * order(value(a), value(b))));
    });
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);
if (at("second") && at("second").options.length > 1 && at("first").value === at("second").value) at("second").selectedIndex = 1;
at("choice").addEventListener("change", showDifference);
at("compare-load").addEventListener("click", () => showPair().catch(lacking));
// Links lead to sections that exist; what to show there stands in data-go, and then in the address.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-go]");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  if (location.hash === `#${link.dataset.go}`) route();
  else location.hash = link.dataset.go;
});
addEventListener("hashchange", route);
addEventListener("beforeprint", () => document.querySelectorAll("details:not(.screen)").forEach((one) => { one.open = true; }));
document.addEventListener("error", (event) => { if (event.target.tagName === "IMG") lacking(); }, true);
if (at("where").options.length) showDifference();
if (framed) lacking();
route();
