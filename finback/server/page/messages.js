// How does a message look? One view for each; an answer's view is redrawn while it grows.

import { speed } from "./answer.js";
import { path, versions } from "./chats.js";
import { copy, el, icon, iconButton } from "./dom.js";
import { colour, show } from "./markdown.js";
import { t, tOr } from "./words.js";

const seconds = (ms) => (ms / 1000).toFixed(ms < 10000 ? 1 : 0);

/**
 * The views of a conversation, in order. `actions` are what the buttons do: edit, retry, branch, select, look, results.
 * `live` is the answer that is growing, if any. Of the views `before` those that still hold are kept, as their readers
 * left them.
 */
export function views(chat, actions, live, before) {
  const shown = path(chat), kept = new Map(before.map((view) => [view.key, view]));
  const results = new Map(shown.filter((node) => node.role === "tool").map((node) => [node.tool_call_id, node]));
  const found = [];
  shown.forEach((node, i) => {
    if (node.role === "tool") return;
    const last = i === shown.length - 1, key = keyOf(chat, node, results, node === live, last);
    const view = kept.get(key) ?? (node.role === "user" ? userView(chat, node, actions) : new AnswerView(chat, node, actions, results, { live: node === live, last }));
    view.key = key;
    found.push(view);
  });
  return found;
}

/** Says all that a view is drawn from beside the message itself. */
function keyOf(chat, node, results, live, last) {
  const calls = node.tool_calls ?? [], answered = calls.filter((call) => results.has(call.id));
  return [chat.id, node.id, live, last && calls.length > 0, answered.length, versions(chat, node).length].join();
}

function versionSwitch(chat, node, actions) {
  const all = versions(chat, node), at = all.indexOf(node);
  if (all.length < 2) return null;
  const step = (name, label, to) => iconButton(name, t(label), () => actions.select(all[to]), { disabled: !all[to] });
  return el("span", { class: "versions" },
    step("left", "previous", at - 1),
    el("span", { "aria-label": t("version", at + 1, all.length) }, `${at + 1}/${all.length}`),
    step("right", "next", at + 1));
}

function userView(chat, node, actions) {
  const text = el("div", { class: "text" }, node.content);
  const copyButton = iconButton("copy", t("copy"), () => copy(node.content, copyButton, t("copied")));
  const article = el("article", { class: "message user", "aria-label": t("you") });
  const bar = el("div", { class: "actions" },
    versionSwitch(chat, node, actions), copyButton,
    iconButton("edit", t("edit"), edit),
    iconButton("branch", t("branch"), () => actions.branch(node)));

  function edit() {
    const field = el("textarea", { "aria-label": t("editing"), rows: "2" });
    field.value = node.content;
    const send = () => field.value.trim() && actions.edit(node, field.value);
    const leave = () => {
      form.replaceWith(text);
      bar.hidden = false;
      bar.querySelector("button").focus();
    };
    const form = el("form", { class: "edit", on: {
      submit: (event) => { event.preventDefault(); send(); },
      keydown: (event) => {
        if (event.key === "Escape") { event.stopPropagation(); leave(); }
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
      },
    } }, field, el("div", { class: "row" },
      el("button", { type: "button", class: "plain", on: { click: leave } }, t("cancel")),
      el("button", { type: "submit", class: "primary" }, t("sendEdit"))));
    text.replaceWith(form);
    bar.hidden = true;
    field.focus();
  }

  article.append(text, bar);
  return { node, element: article, edit };
}

class AnswerView {
  constructor(chat, node, actions, results, { live, last }) {
    Object.assign(this, { chat, node, actions, results, live, last });
    this.thoughts = el("div", { class: "markdown" });
    this.summary = el("summary", {});
    this.fold = el("details", { class: "thinking" }, this.summary, this.thoughts);
    // what is folded away is not drawn until someone opens it
    this.fold.addEventListener("toggle", () => this.fold.open && show(this.thoughts, node.reasoning));
    this.content = el("div", { class: "markdown" });
    this.cards = el("div", { class: "cards" });
    this.foot = el("div", { class: "foot" });
    this.element = el("article", { class: "message assistant", "aria-label": node.model || t("model") }, this.fold, this.content, this.cards, this.foot);
    this.update();
  }

  /** Draws what the answer has by now. */
  update() {
    const node = this.node;
    this.element.setAttribute("aria-busy", String(this.live));
    this.element.classList.toggle("waiting", this.live && !node.reasoning && !node.content && !node.tool_calls.length);
    this.fold.hidden = !node.reasoning;
    if (node.reasoning) {
      this.#summarise();
      if (this.fold.open) show(this.thoughts, node.reasoning);
    }
    show(this.content, node.content);
    this.#drawCards();
    if (!this.live) this.#drawFoot();
  }

  end() {
    this.live = false;
    this.key = keyOf(this.chat, this.node, this.results, false, this.last);
    this.update();
  }

  /** The fold's title: it counts the seconds while thoughts go on. */
  #summarise() {
    const { times, usage, content, tool_calls } = this.node;
    const thinking = this.live && !content && !tool_calls.length;
    const label = thinking ? t("thinkingNow", seconds(Date.now() - times.began)) : times?.thought ? t("thought", seconds(times.thought)) : t("thoughtStopped");
    const count = usage?.reasoning ? ` · ${t("tokens", usage.reasoning)}` : "";
    if (this.summary.textContent !== label + count) this.summary.textContent = label + count;
    this.fold.classList.toggle("busy", thinking);
  }

  #drawCards() {
    const calls = this.node.tool_calls;
    calls.forEach((call, i) => {
      const drawn = this.cards.children[i];
      if (drawn?.said === call.arguments.length && drawn.live === this.live) return;
      const card = this.#card(call);
      card.said = call.arguments.length;
      card.live = this.live;
      if (drawn) drawn.replaceWith(card);
      else this.cards.append(card);
    });
    const open = !this.live && this.last && calls.length > 0 && this.node.finish === "tool_calls";
    if (open && !this.sender) {
      this.sender = el("button", { type: "button", class: "primary", on: { click: () => this.#send() } }, t("sendResults"));
      this.cards.append(el("div", { class: "row" }, this.sender));
    }
  }

  #card(call) {
    const { text, valid } = pretty(call.arguments);
    const result = this.results.get(call.id);
    const note = this.live ? t("running") : call.malformed || (valid ? "" : t("badArguments"));
    const card = el("section", { class: "card", "aria-label": `${t("toolCall")}: ${call.name}` },
      el("header", {}, icon("tool"), el("strong", {}, call.name), note && el("span", { class: "note" }, note)),
      el("pre", { tabindex: "0" }, colour(text, valid ? "json" : "")));
    if (result) card.append(el("h4", {}, t("result")), el("pre", { class: "result", tabindex: "0" }, result.content));
    else if (!this.live && this.last && this.node.finish === "tool_calls")
      card.append(el("textarea", { rows: "2", "data-call": call.id, "aria-label": `${t("result")}: ${call.name}`, placeholder: t("resultHint") }));
    return card;
  }

  #send() {
    const fields = [...this.cards.querySelectorAll("textarea[data-call]")];
    this.actions.results(this.node, fields.map((field) => ({ tool_call_id: field.dataset.call, content: field.value })));
  }

  #drawFoot() {
    const { chat, node, actions } = this;
    const copyButton = iconButton("copy", t("copy"), () => copy(node.content, copyButton, t("copied")));
    const rate = speed(node);
    const facts = [
      node.usage?.completion !== undefined && t("tokens", node.usage.completion),
      rate !== null && t("perSecond", rate.toFixed(rate < 10 ? 1 : 0)),
      !["", "stop", "tool_calls"].includes(node.finish) && tOr(node.finish),
    ].filter(Boolean);
    const silent = !node.content && !node.tool_calls.length && !node.error;
    if (silent && node.reasoning) this.fold.open = true; // else there would be nothing to see
    this.foot.replaceChildren(
      ...(node.error ? [el("p", { class: "error", role: "alert" }, `${t("error")}: ${node.error}`)] : []),
      ...(silent ? [el("p", { class: "note" }, t(node.reasoning ? "onlyThoughts" : "noAnswer"))] : []),
      el("div", { class: "actions" },
        versionSwitch(chat, node, actions) ?? "", copyButton,
        iconButton("retry", t("retry"), () => actions.retry(node)),
        iconButton("branch", t("branch"), () => actions.branch(node)),
        iconButton("scope", t("look"), () => actions.look(node)),
        el("span", { class: "facts" }, facts.join(" · "))));
  }
}

/** Arguments as a reader likes them, and whether they are JSON at all. */
function pretty(text) {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), valid: true };
  } catch {
    return { text, valid: false };
  }
}
