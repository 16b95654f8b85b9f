// How does a model's text become a part of the page? Markdown to HTML, HTML through the sanitiser, then code and formulas.
//
// Whatever a model writes is a stranger's text. Its HTML is shown as text, its pictures become links (a picture is a
// request to another host), and what the renderer makes of the rest passes DOMPurify with a short list of tags. Formulas
// are built by Temml as elements, code is coloured by highlight.js; neither is given HTML.

import { Marked } from "./vendor/marked.esm.js";
import hljs from "./vendor/highlight.min.js";
import bash from "./vendor/languages/bash.min.js";
import c from "./vendor/languages/c.min.js";
import cpp from "./vendor/languages/cpp.min.js";
import css from "./vendor/languages/css.min.js";
import diff from "./vendor/languages/diff.min.js";
import go from "./vendor/languages/go.min.js";
import ini from "./vendor/languages/ini.min.js";
import java from "./vendor/languages/java.min.js";
import javascript from "./vendor/languages/javascript.min.js";
import json from "./vendor/languages/json.min.js";
import markdown from "./vendor/languages/markdown.min.js";
import python from "./vendor/languages/python.min.js";
import rust from "./vendor/languages/rust.min.js";
import shell from "./vendor/languages/shell.min.js";
import sql from "./vendor/languages/sql.min.js";
import typescript from "./vendor/languages/typescript.min.js";
import xml from "./vendor/languages/xml.min.js";
import yaml from "./vendor/languages/yaml.min.js";
import { copy, el, iconButton } from "./dom.js";
import { t } from "./words.js";

const LANGUAGES = { bash, c, cpp, css, diff, go, ini, java, javascript, json, markdown, python, rust, shell, sql, typescript, xml, yaml };
for (const [name, grammar] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, grammar);
const COLOURED = 50000; // characters: longer code stays plain

const TAGS = [
  "p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "div",
  "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
];
const CLEAN = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["href", "title", "class", "align", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  RETURN_DOM_FRAGMENT: true,
};

const escape = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

// TeX between $$ or \[ \] stands alone, between \( \) or $ in a line. A dollar before a space or behind one is money.
// The lengths are bounded so that many beginnings without an end cost little.
const DISPLAY = /^(?:\$\$([\s\S]{1,8000}?)\$\$|\\\[([\s\S]{1,8000}?)\\\])/;
const INLINE = /^(?:\\\(([\s\S]{1,2000}?)\\\)|\$(?![\s$])((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d))/;
const HUGE = /\d{3}(\.\d*)?\s*(em|ex|mu|cm|mm|in|px|pt|pc|bp|dd|cc|sp)/;

function formula(match, display, type) {
  return match && { type, raw: match[0], tex: match[1] ?? match[2], display };
}

const extensions = [
  {
    name: "formulaBlock",
    level: "block",
    start: (text) => text.match(/^ {0,3}(?:\$\$|\\\[)/m)?.index,
    tokenizer(text) {
      const lead = /^ {0,3}/.exec(text)[0];
      const token = formula(DISPLAY.exec(text.slice(lead.length)), true, "formulaBlock");
      if (token) token.raw = lead + token.raw;
      return token ?? undefined;
    },
    renderer: (token) => `<div class="tex display">${escape(token.tex)}</div>`,
  },
  {
    name: "formula",
    level: "inline",
    start: (text) => text.match(/\$|\\\(|\\\[/)?.index,
    tokenizer: (text) => formula(DISPLAY.exec(text), true, "formula") ?? formula(INLINE.exec(text), false, "formula") ?? undefined,
    renderer: (token) => `<span class="tex${token.display ? " display" : ""}">${escape(token.tex)}</span>`,
  },
];

const renderer = {
  html: (token) => (/^<br\s*\/?>$/i.test(token.text.trim()) ? "<br>" : escape(token.text)),
  checkbox: (token) => (token.checked ? "☑ " : "☐ "),
  image: (token) => `<a href="${escape(token.href)}">${escape(token.text || token.href)}</a>`,
  code: (token) => `<pre><code class="language-${escape((token.lang ?? "").split(/\s/)[0])}">${escape(token.text)}\n</code></pre>`,
};

const marked = new Marked({ gfm: true, breaks: true, extensions, renderer }); // breaks: plans and thoughts are lines

/**
 * Shows `text` in `place`. Called again with a longer text it redraws only the blocks that changed, so a reader may
 * select, copy or scroll in what stands.
 */
export function show(place, text) {
  const blocks = [...place.children];
  let at = 0;
  for (const token of marked.lexer(text)) {
    if (token.type === "space") continue;
    if (blocks[at]?.raw !== token.raw) {
      const block = el("div", { class: "block" }, draw(token));
      block.raw = token.raw;
      if (blocks[at]) blocks[at].replaceWith(block);
      else place.append(block);
    }
    at += 1;
  }
  for (const left of blocks.slice(at)) left.remove();
}

function draw(token) {
  const fragment = window.DOMPurify.sanitize(marked.parser([token]), CLEAN);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const place of fragment.querySelectorAll(".tex")) drawFormula(place);
  for (const code of fragment.querySelectorAll("pre > code")) drawCode(code);
  for (const table of fragment.querySelectorAll("table")) table.replaceWith(el("div", { class: "table", tabindex: "0" }, table.cloneNode(true)));
  return fragment;
}

function drawFormula(place) {
  const tex = place.textContent, displayMode = place.classList.contains("display");
  // Of Temml's commands these two set style attributes, which the policy forbids. The object is new: \gdef writes to it.
  const macros = { "\\pmb": "\\boldsymbol{#1}", "\\sideset": "{}#1#3#2" };
  try {
    if (HUGE.test(tex)) throw new Error("a length that no page has room for");
    window.temml.render(tex, place, { displayMode, macros, trust: false, throwOnError: true });
  } catch {
    place.replaceChildren(el("code", { class: "bad-tex" }, tex));
  }
}

function drawCode(code) {
  const text = code.textContent, name = code.className.replace("language-", "");
  const button = iconButton("copy", t("copyCode"), () => copy(text.replace(/\n$/, ""), button, t("copied")));
  code.parentNode.replaceWith(
    el("figure", { class: "code" }, el("figcaption", {}, el("span", {}, name || t("text")), button), el("pre", { tabindex: "0" }, colour(text, name))),
  );
}

/** A `code` element with coloured text. */
export function colour(text, name) {
  if (!hljs.getLanguage(name) || text.length > COLOURED) return el("code", {}, text);
  const html = hljs.highlight(text, { language: name, ignoreIllegals: true }).value;
  return el("code", {}, window.DOMPurify.sanitize(html, { ...CLEAN, ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"] }));
}
