// What did the model look at? Draws the server's trace of one answer: entries read, experts, cache bytes, speed.

import { speed } from "./answer.js";
import { examine } from "./api.js";
import { saidNothing } from "./chats.js";
import { el, iconButton } from "./dom.js";
import { t } from "./words.js";

const WHOLE = -1;
const KINDS = ["window", "tails", "csa", "hca", "index"];
const STRIP = 22, BARS = 30; // pixels
// A canvas needs colours, not the style sheet's formulas for them.
for (const name of ["--strip", "--csa", "--hca", "--window", "--experts", "--idle", "--text"])
  CSS.registerProperty({ name, syntax: "<color>", inherits: true, initialValue: "gray" });

export function kilo(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

const percent = (part, whole) => `${Math.round((100 * part) / whole)}%`;
const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

export class Microscope {
  /** page: key() is the API key, body(chat, node) the request that would continue after an answer, close() closes the panel. */
  constructor(place, page) {
    Object.assign(this, { place, page });
    this.node = this.found = this.error = null;
    this.token = WHOLE;
    new ResizeObserver(() => this.#paint()).observe(place);
  }

  /** Looks at an answer: what the page knows of it at once, what the server finds when it comes. */
  async look(chat, node) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    Object.assign(this, { node: node && saidNothing(node) ? null : node, found: null, error: null, token: WHOLE });
    this.draw();
    if (!this.node) return;
    try {
      const { model, messages, thinking, reasoning_effort, tools, response_format } = this.page.body(chat, node);
      const found = await examine({ model, messages, thinking, reasoning_effort, tools, response_format }, this.page.key(), asking.signal);
      if (!asking.signal.aborted) this.found = prepared(found);
    } catch (error) {
      if (!asking.signal.aborted) this.error = error.message;
    }
    if (!asking.signal.aborted) this.draw();
  }

  draw() {
    const body = [];
    if (!this.node) body.push(el("p", { class: "note" }, t("scopeNone")));
    else {
      body.push(this.#facts());
      if (this.error) body.push(el("p", { class: "error", role: "alert" }, this.error));
      else if (!this.found) body.push(el("p", { class: "note", role: "status" }, t("scopeLooking")));
      else body.push(this.#memory(), this.#tokens(), this.#layers());
    }
    this.place.replaceChildren(
      el("header", { class: "bar" }, el("h2", {}, t("microscope")), iconButton("close", t("close"), this.page.close)),
      el("div", { class: "scope-body" }, ...body));
    this.#paint();
  }

  #facts() {
    const { usage, times } = this.node, rate = speed(this.node), engine = this.found?.engine;
    const rows = [
      [t("speed"), rate === null ? t("unknown") : t("perSecond", rate.toFixed(1))],
      [t("firstToken"), times?.first ? t("seconds", (times.first / 1000).toFixed(2)) : t("unknown")],
      [t("cacheHits"), usage?.hit === undefined ? t("unknown") : `${t("ofAll", usage.hit, usage.prompt)} (${percent(usage.hit, usage.prompt || 1)})`],
      [t("drafts"), this.#drafts(usage, engine)],
    ];
    return el("dl", { class: "facts-grid" }, ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  #drafts(usage, engine) {
    const own = (usage?.accepted ?? 0) + (usage?.rejected ?? 0);
    if (own) return `${t("ofAll", usage.accepted, own)} (${percent(usage.accepted, own)})`;
    if (!engine) return "…";
    if (engine.drafts === null) return t("off");
    const { accepted, checked } = engine.drafts;
    return checked ? `${percent(accepted, checked)} ${t("overall")}` : t("unknown");
  }

  #memory() {
    const { bytes } = this.found, total = KINDS.reduce((sum, kind) => sum + bytes[kind], 0);
    const bar = el("div", { class: "stack", role: "img", "aria-label": `${t("memory")}: ${kilo(total)}` });
    const legend = el("ul", { class: "legend" });
    for (const kind of KINDS) {
      const part = el("span", { class: `kind-${kind}`, title: `${t(kind)}: ${kilo(bytes[kind])}` });
      part.style.flexGrow = bytes[kind];
      bar.append(part);
      legend.append(el("li", {}, el("i", { class: `kind-${kind}` }), `${t(kind)} `, el("b", {}, kilo(bytes[kind]))));
    }
    return el("section", {}, el("h3", {}, `${t("memory")}: ${kilo(total)}`), bar, legend, el("p", { class: "note" }, t("allocated", kilo(bytes.allocated))));
  }

  /** The answer's tokens: a slider and the text itself choose which one is looked at. */
  #tokens() {
    const { pieces, first, answer, rows } = this.found;
    this.slider = el("input", { type: "range", min: String(WHOLE), max: String(rows - 1), value: String(this.token), "aria-label": t("tokenPick") });
    this.slider.addEventListener("input", () => this.#choose(Number(this.slider.value)));
    this.chosen = el("span", { class: "note" });
    this.ribbon = el("div", { class: "ribbon", tabindex: "-1" }, ...pieces.slice(first).map((piece, i) => el("span", { "data-at": String(i) }, piece)));
    this.ribbon.addEventListener("click", (event) => {
      const at = Number(event.target.dataset.at ?? WHOLE);
      this.#choose(at === this.token ? WHOLE : at);
    });
    return el("section", {}, el("h3", {}, t("tokenPick")), el("div", { class: "row" }, this.slider), this.chosen, this.ribbon,
      first > answer && el("p", { class: "note" }, t("partly", rows)));
  }

  #choose(token) {
    this.token = token;
    this.#paint();
  }

  #layers() {
    const { found } = this;
    this.tip = el("p", { class: "tip", "aria-hidden": "true" }, "\u00a0");
    const section = el("section", { class: "layers" }, el("h3", {}, t("layers")), el("p", { class: "note" }, t("scopeHow", found.window)), this.tip);
    found.layers.forEach((layer, i) => {
      const what = { SWA: () => t("layerSWA"), CSA: () => t("layerCSA", layer.entries, layer.ratio, found.topk), HCA: () => t("layerHCA", layer.entries, layer.ratio) }[layer.kind]();
      layer.strip = el("canvas", { class: "strip", role: "img", "aria-label": t("stripLabel", i, layer.kind) });
      layer.bars = el("canvas", { class: "bars", role: "img", "aria-label": `${t("experts")} ${i}: ${loads(found, layer, WHOLE).map((n) => percent(n, found.rows)).join(", ")}` });
      layer.strip.addEventListener("mousemove", (event) => this.#tellEntry(layer, event));
      layer.bars.addEventListener("mousemove", (event) => this.#tellExpert(layer, event));
      section.append(el("div", { class: "layer" },
        el("div", { class: "layer-name" }, el("b", {}, `${i} · ${layer.kind}`), el("span", { class: "note" }, what)), layer.strip,
        el("div", { class: "layer-name" }, el("span", { class: "note" }, `${t("experts")}, ${t(layer.hashed ? "hashed" : "routed")}`)), layer.bars));
    });
    return section;
  }

  #tellEntry(layer, event) {
    const { pieces } = this.found, at = Math.floor((event.offsetX / layer.strip.clientWidth) * pieces.length);
    const entry = layer.entries ? Math.floor(at / layer.ratio) : Infinity;
    if (!(entry < layer.entries)) return (this.tip.textContent = "\u00a0");
    const from = entry * layer.ratio, to = from + layer.ratio, text = pieces.slice(from, to).join("");
    const share = Math.round(100 * shares(this.found, layer)[entry]);
    const now = this.token === WHOLE ? "" : ` · ${t(reads(this.found, layer, this.token)[entry] ? "entryRead" : "entryNot")}`;
    const told = t("entryTip", entry, from, to - 1, share) + now;
    this.tip.textContent = `${told} · “${text.length > 60 ? `${text.slice(0, 59)}…` : text}”`;
  }

  #tellExpert(layer, event) {
    const { n_experts, rows } = this.found, expert = Math.floor((event.offsetX / layer.bars.clientWidth) * n_experts);
    if (expert >= 0 && expert < n_experts) this.tip.textContent = t("expertTip", expert, Math.round((100 * loads(this.found, layer, WHOLE)[expert]) / rows));
  }

  #paint() {
    const { found, token, place } = this;
    if (!found || place.hidden || !this.slider?.isConnected) return;
    this.slider.value = String(token);
    const piece = token === WHOLE ? "" : found.pieces[found.first + token];
    this.chosen.textContent = token === WHOLE ? t("wholeAnswer") : t("tokenAt", token + found.first - found.answer, piece);
    this.slider.setAttribute("aria-valuetext", this.chosen.textContent);
    this.ribbon.querySelector(".chosen")?.classList.remove("chosen");
    if (token !== WHOLE) {
      const span = this.ribbon.children[token];
      span.classList.add("chosen");
      this.ribbon.scrollTop = span.offsetTop - this.ribbon.offsetTop - this.ribbon.clientHeight / 2;
    }
    for (const layer of found.layers) {
      paintStrip(found, layer, token);
      paintBars(found, layer, token);
    }
  }
}

function prepared(found) {
  found.rows = found.pieces.length - found.first;
  for (const layer of found.layers) {
    layer.experts = new Uint16Array(bytesOf(layer.experts).buffer);
    if (layer.ratio) layer.reads = bytesOf(layer.reads);
  }
  return found;
}

/** How many of the rows (or whether the one row) read each entry. */
function reads(found, layer, token) {
  const width = Math.ceil(layer.entries / 8), counts = new Array(layer.entries).fill(0);
  const [from, to] = token === WHOLE ? [0, found.rows] : [token, token + 1];
  for (let row = from; row < to; row++)
    for (let entry = 0; entry < layer.entries; entry++)
      counts[entry] += (layer.reads[row * width + (entry >> 3)] >> (7 - (entry & 7))) & 1;
  return counts;
}

/** Of the rows that could read an entry, because it was complete: the share that did. */
function shares(found, layer) {
  return reads(found, layer, WHOLE).map((count, entry) => {
    const could = found.rows - Math.max(0, (entry + 1) * layer.ratio - found.first);
    return could > 0 ? count / could : 0;
  });
}

/** How many of the rows (or whether the one row) each expert worked on. */
function loads(found, layer, token) {
  const k = found.n_chosen, counts = new Array(found.n_experts).fill(0);
  const chosen = token === WHOLE ? layer.experts : layer.experts.subarray(token * k, token * k + k);
  for (const expert of chosen) counts[expert] += 1;
  return counts;
}

/** A canvas of its own size in device pixels, cleared, with its context in CSS pixels. */
function prepare(canvas, height) {
  const width = canvas.clientWidth, scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d"), style = getComputedStyle(canvas);
  context.scale(scale, scale);
  return { context, width, colour: (name) => style.getPropertyValue(name) };
}

function paintStrip(found, layer, token) {
  const { context, width, colour } = prepare(layer.strip, STRIP), length = found.pieces.length;
  const x = (position) => (position / length) * width;
  context.fillStyle = colour("--strip");
  context.fillRect(0, 0, width, STRIP - 5);
  if (layer.ratio) {
    const heat = token === WHOLE ? shares(found, layer) : reads(found, layer, token);
    context.fillStyle = colour(layer.kind === "CSA" ? "--csa" : "--hca");
    heat.forEach((share, entry) => {
      if (!share) return;
      context.globalAlpha = 0.12 + 0.88 * share;
      context.fillRect(x(entry * layer.ratio), 0, Math.max(x(layer.ratio), 1), STRIP - 5);
    });
    context.globalAlpha = 1;
  }
  const from = found.first + (token === WHOLE ? 0 : token), to = token === WHOLE ? length : from;
  context.fillStyle = colour("--window");
  context.fillRect(x(Math.max(from - found.window, 0)), STRIP - 4, Math.max(x(to - Math.max(from - found.window, 0)), 2), 4);
  context.fillStyle = colour("--text");
  context.fillRect(x(found.answer), 0, 1, STRIP); // the answer begins
  if (token !== WHOLE) context.fillRect(x(from) - 1, 0, 2, STRIP);
}

function paintBars(found, layer, token) {
  const { context, width, colour } = prepare(layer.bars, BARS), counts = loads(found, layer, WHOLE);
  const chosen = token === WHOLE ? null : loads(found, layer, token);
  const most = Math.max(...counts, 1), step = width / found.n_experts, gap = step > 4 ? 2 : 0;
  counts.forEach((count, expert) => {
    context.fillStyle = colour(chosen && !chosen[expert] ? "--idle" : "--experts");
    const height = Math.max((count / most) * BARS, 1);
    context.fillRect(expert * step, BARS - height, Math.max(step - gap, 1), height);
  });
  context.fillStyle = colour("--text"); // where all would stand if the load were even
  context.globalAlpha = 0.5;
  context.fillRect(0, BARS - ((found.rows * found.n_chosen) / found.n_experts / most) * BARS, width, 1);
}
