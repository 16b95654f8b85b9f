// How do the parts of the page work together? State, what the buttons and keys do, and what is shown.

import { answer, newAnswer } from "./answer.js";
import { listModels } from "./api.js";
import { add, find, fork, fromFile, newChat, path, select, toFile } from "./chats.js";
import { download, el, icon, iconButton } from "./dom.js";
import { views } from "./messages.js";
import { Microscope } from "./microscope.js";
import { effort, key, loadSettings, requestBody, saveSettings } from "./settings.js";
import { bindSettings } from "./settings-form.js";
import { openStore } from "./store.js";
import { setLanguage, t, translate } from "./words.js";

const $ = (id) => document.getElementById(id);
const AT_END = 60; // pixels from the end that count as the end
const SAVE_EVERY = 700; // milliseconds, while an answer grows
const wide = matchMedia("(min-width: 821px)");

const settings = loadSettings();
const store = await openStore();
const running = new Map(); // chat id -> {controller, node} of the answer that grows in it
let chats = await store.all();
let chat = newChat();
let models = [];
let shown = []; // the views of the messages on the page
let atEnd = true;

const scope = new Microscope($("scope"), {
  key: key.get,
  body: (chat, node) => requestBody(settings, models, chat, node.id),
  close: () => toggleScope(false),
});

// --- conversations ---

const known = (which) => chats.find((one) => one.id === which.id) ?? null;

async function save(which) {
  if (!known(which)) chats.push(which);
  try {
    await store.put(which);
  } catch (error) {
    notice(t("storeFailed", error.message));
  }
}

/** Another tab changed a conversation: takes over what it says, unless an answer grows here. */
async function reread(id) {
  if (running.has(id) || !store.lasting) return;
  const found = await store.get(id);
  chats = chats.filter((one) => one.id !== id).concat(found ?? []);
  if (chat.id === id) {
    chat = found ?? newChat();
    shown = []; // they show the messages of before
    draw();
  }
  drawList();
}

function open(which) {
  chat = which;
  atEnd = true;
  draw();
  drawList();
  if (!wide.matches) toggleSidebar(false);
  if (!$("scope").hidden) lookAtLast();
}

function startNew() {
  open(newChat("", ""));
  $("ask").focus();
}

const newest = () => [...chats].sort((a, b) => b.updated - a.updated);

function step(by) {
  const list = newest(), next = list[list.findIndex((one) => one.id === chat.id) + by];
  if (next) open(next);
}

async function remove(which) {
  if (!(await ask(t("removeSure", which.title || t("untitled")), t("remove")))) return;
  stop(which);
  chats = chats.filter((other) => other.id !== which.id);
  await store.remove(which.id);
  if (which.id === chat.id) startNew();
  else drawList();
}

async function rename(which) {
  const title = await ask(t("renameTo"), t("save"), which.title), now = known(which);
  if (!title || !now) return;
  now.title = title;
  await save(now);
  drawList();
  drawTitle();
}

async function importFile(file) {
  try {
    const found = fromFile(await file.text());
    for (const one of found) await save(one);
    notice(t("imported", found.length));
    drawList();
  } catch (error) {
    notice(t("importFailed", error.message));
  }
}

const date = () => new Date().toISOString().slice(0, 10);

// --- answers ---

function send(text) {
  if (!text.trim() || running.has(chat.id)) return false;
  return run(chat, () => add(chat, chat.leaf, { role: "user", content: text }));
}

/** Adds what is asked, then its answer. Returns false, and adds nothing, where the request cannot be made. */
function run(inside, place) {
  try {
    requestBody(settings, models, inside, null);
  } catch (error) {
    notice(t("toolsBad", error.message));
    return false;
  }
  stop(inside);
  const parent = place();
  const body = requestBody(settings, models, inside, parent.id);
  const node = add(inside, parent.id, newAnswer(settings.model));
  save(inside);
  grow(inside, node, body);
  return true;
}

async function grow(inside, node, body) {
  const controller = new AbortController(), mine = { controller, node };
  running.set(inside.id, mine);
  if (!settings.model) await loadModels().then(() => (body.model = node.model = settings.model));
  atEnd = true;
  draw();
  drawList();
  $("status").textContent = t("answering");
  let waiting = 0, cost = 0, saved = Date.now();
  const redraw = () => {
    waiting = 0;
    const began = performance.now(), view = shown.find((one) => one.node === node);
    view?.update();
    if (view) follow();
    cost = performance.now() - began;
    if (Date.now() - saved > SAVE_EVERY && known(inside)) {
      saved = Date.now();
      save(inside);
    }
  };
  // the more a drawing costs, the rarer it is: a long answer must not stop the page
  const changed = () => (waiting ||= setTimeout(redraw, Math.max(16, 4 * cost)));
  const clock = setInterval(changed, 500);
  await answer(node, body, key.get(), controller.signal, changed);
  clearInterval(clock);
  clearTimeout(waiting);
  if (running.get(inside.id) === mine) running.delete(inside.id);
  if (known(inside)) await save(inside); // else it was deleted meanwhile
  if (inside === chat) {
    shown.find((view) => view.node === node)?.end();
    drawButton();
    follow();
    $("status").textContent = node.error ? "" : t("answered");
    if (!$("scope").hidden) scope.look(chat, node);
  }
  drawList();
}

function stop(inside) {
  running.get(inside.id)?.controller.abort();
  running.delete(inside.id);
}

const actions = {
  edit: (node, text) => run(chat, () => add(chat, node.parent, { role: "user", content: text })),
  retry: (node) => run(chat, () => find(chat, node.parent)),
  results: (node, results) =>
    run(chat, () => results.reduce((parent, result) => add(chat, parent.id, { role: "tool", ...result }), node)),
  async branch(node) {
    const copy = fork(chat, node);
    await save(copy);
    open(copy);
    $("ask").focus();
  },
  select(node) {
    select(chat, node);
    save(chat);
    draw();
  },
  look(node) {
    toggleScope(true, false);
    scope.look(chat, node);
  },
};

// --- what is shown ---

function draw() {
  shown = views(chat, actions, running.get(chat.id)?.node, shown);
  $("log").replaceChildren(...shown.map((view) => view.element));
  $("welcome").hidden = shown.length > 0;
  drawButton();
  drawTitle();
  follow();
}

function drawButton() {
  const live = running.has(chat.id), focused = document.activeElement === $("stop");
  $("send").hidden = live;
  $("stop").hidden = !live;
  if (focused && !live) $("ask").focus();
}

function drawTitle() {
  $("title").textContent = chat.title || t("untitled");
  document.title = chat.title ? `${chat.title} · Finback` : "Finback";
}

function drawList() {
  $("chats").replaceChildren(...newest().map((one) => {
    const title = one.title || t("untitled");
    const name = el("button", { type: "button", class: "chat-name", "aria-current": one === chat && "true", title, on: { click: () => open(one) } }, title);
    return el("li", { class: running.has(one.id) ? "running" : null },
      name,
      iconButton("edit", `${t("rename")}: ${title}`, () => rename(one)),
      iconButton("export", `${t("exportOne")}: ${title}`, () => download(`finback-${date()}.json`, toFile([one]))),
      iconButton("trash", `${t("remove")}: ${title}`, () => remove(one)));
  }));
  $("no-chats").hidden = chats.length > 0;
  $("export").disabled = chats.length === 0;
}

function follow() {
  const box = $("scroll");
  if (atEnd) box.scrollTop = box.scrollHeight;
  $("to-end").hidden = atEnd || shown.length === 0;
}

let noticeTimer = 0;
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").hidden = true), 6000);
}

/** Asks for a yes (value null: resolves to true) or for a text; null where the user declines. */
function ask(question, yes, value = null) {
  const dialog = $("ask-name"), field = $("ask-name-field");
  $("ask-name-title").textContent = question;
  $("ask-name-ok").textContent = yes;
  field.hidden = value === null;
  field.value = value ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  (value === null ? $("ask-name-ok") : field).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? (value === null ? true : field.value.trim()) : null), { once: true });
  });
}

function toggleSidebar(on) {
  settings.chats = on;
  document.body.classList.toggle("with-sidebar", on);
  $("menu").setAttribute("aria-expanded", String(on));
  if (wide.matches) saveSettings(settings);
}

function toggleScope(on, look = true) {
  $("scope").hidden = !on;
  $("open-scope").setAttribute("aria-expanded", String(on));
  document.body.classList.toggle("with-scope", on);
  if (!on) $("open-scope").focus();
  else if (look) lookAtLast();
}

function lookAtLast() {
  const live = running.get(chat.id)?.node;
  scope.look(chat, path(chat).findLast((node) => node.role === "assistant" && node !== live) ?? null);
}

function relabel() {
  setLanguage(settings.language ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  translate(document);
  shown = []; // their words are of the other language
  draw();
  drawList();
  if (!$("scope").hidden) scope.draw();
}

function recolour() {
  document.documentElement.dataset.theme = settings.theme;
  if (!$("scope").hidden) scope.draw();
}

async function loadModels() {
  try {
    models = await listModels(key.get());
    if (!models.some((model) => model.id === settings.model)) settings.model = models[0]?.id ?? "";
    $("model").replaceChildren(...models.map((model) => el("option", { value: model.id }, model.id)));
    $("model").value = settings.model;
    drawEffort();
  } catch (error) {
    notice(error instanceof TypeError ? t("unreachable") : error.status === 401 ? t("keyNeeded") : error.message);
  }
}

function drawEffort() {
  for (const radio of document.querySelectorAll("input[name=effort]")) radio.checked = radio.value === effort(settings, models);
}

// --- what buttons and keys do ---

function bind() {
  for (const button of document.querySelectorAll("[data-icon]")) button.append(icon(button.dataset.icon));
  for (const [id, name] of [["new", "plus"], ["export", "export"], ["import", "import"]]) $(id).prepend(icon(name));
  const clicks = {
    new: startNew,
    menu: () => toggleSidebar(!settings.chats),
    "close-sidebar": () => toggleSidebar(false),
    shade: () => toggleSidebar(false),
    "open-scope": () => toggleScope($("scope").hidden),
    "open-settings": showSettings,
    "open-help": () => $("help").showModal(),
    stop: () => stop(chat),
    export: () => download(`finback-${date()}.json`, toFile(newest())),
    import: () => $("import-file").click(),
    "to-end": () => ((atEnd = true), follow()),
    "ask-name-cancel": () => $("ask-name").close(),
  };
  for (const [id, click] of Object.entries(clicks)) $(id).addEventListener("click", click);
  $("import-file").addEventListener("change", async (event) => {
    if (event.target.files[0]) await importFile(event.target.files[0]);
    event.target.value = "";
  });
  $("model").addEventListener("change", () => {
    settings.model = $("model").value;
    saveSettings(settings);
    drawEffort();
  });
  for (const radio of document.querySelectorAll("input[name=effort]")) {
    radio.addEventListener("change", () => {
      settings.effort = radio.value;
      saveSettings(settings);
    });
  }
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (send($("ask").value)) $("ask").value = "";
    fit();
  });
  $("ask").addEventListener("input", fit);
  $("ask").addEventListener("keydown", (event) => {
    // in an input method Enter chooses a word
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      $("composer").requestSubmit();
    }
    if (event.key === "ArrowUp" && !event.altKey && !$("ask").value) {
      const last = shown.findLast((view) => view.edit);
      if (last) event.preventDefault();
      last?.edit();
    }
  });
  $("scroll").addEventListener("scroll", () => {
    const box = $("scroll");
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END;
    $("to-end").hidden = atEnd || shown.length === 0;
  });
  document.addEventListener("keydown", shortcut);
  addEventListener("pagehide", () => running.size && chats.filter((one) => running.has(one.id)).forEach(save));
}

/** The field is as high as its text, up to what the style allows. */
function fit() {
  const field = $("ask");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function shortcut(event) {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input:not([type=radio]):not([type=range]), textarea, select");
  const alt = event.altKey && !event.ctrlKey && !event.metaKey;
  const does = {
    KeyN: startNew,
    KeyB: () => toggleSidebar(!settings.chats),
    KeyM: () => toggleScope($("scope").hidden),
    Comma: showSettings,
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
  }[alt && event.code];
  if (does) {
    event.preventDefault();
    does();
  } else if (event.key === "Escape") {
    if (running.has(chat.id)) stop(chat);
    else if (!wide.matches && settings.chats) toggleSidebar(false);
    else if (!$("scope").hidden) toggleScope(false);
  } else if (!typing && !event.ctrlKey && !event.metaKey && !alt && event.key === "/") {
    event.preventDefault();
    $("ask").focus();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !alt && event.key === "?") {
    $("help").showModal();
  }
}

const showSettings = bindSettings(settings, {
  chat: () => chat,
  keep: (which) => known(which) && save(which),
  relabel,
  recolour,
  keyChanged: loadModels,
});

// An answer that a closed page cut off is one that was stopped.
for (const one of chats) for (const node of one.nodes) if (node.role === "assistant" && !node.finish && !node.error) node.finish = "stopped";
store.watch(reread);
bind();
toggleSidebar(settings.chats && wide.matches);
recolour();
relabel();
drawEffort();
await loadModels();
if (!store.lasting) notice(t("notKept"));
$("ask").focus();
document.body.dataset.ready = "true";
