// What can a user set, and what of it does a request carry? Kept in localStorage; the API key only while the tab lives.

import { toMessages } from "./chats.js";

const NAME = "finback.settings";
const KEY = "finback.key";

// name: [least, most, step]; an empty field leaves the choice to the server
export const SAMPLING = {
  temperature: [0, 2, 0.1],
  top_p: [0.01, 1, 0.01],
  max_tokens: [1, 131072, 1],
  seed: [0, 4294967295, 1],
  presence_penalty: [-2, 2, 0.1],
  frequency_penalty: [-2, 2, 0.1],
};

const DEFAULTS = { language: null, theme: "auto", model: "", effort: null, json: false, sampling: {}, stop: "", chats: true };

export function loadSettings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(NAME) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

export function saveSettings(settings) {
  try {
    localStorage.setItem(NAME, JSON.stringify(settings));
  } catch {
    // a browser that keeps nothing: the settings last as long as the page
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/** The tools that the text names. Throws an Error where it is no JSON array. */
export function parseTools(text) {
  if (!text.trim()) return [];
  const tools = JSON.parse(text);
  if (!Array.isArray(tools)) throw new Error("[…]");
  return tools;
}

/** How hard to think: as the user chose, else as the model is used to. models: what the server says of each. */
export function effort(settings, models) {
  return settings.effort ?? (models.find((model) => model.id === settings.model)?.thinking === false ? "none" : "high");
}

/** What to send for an answer to the message `leaf`. Throws an Error where the tools are malformed. */
export function requestBody(settings, models, chat, leaf) {
  const body = { model: settings.model, messages: toMessages(chat, leaf) };
  const chosen = effort(settings, models);
  body.thinking = { type: chosen === "none" ? "disabled" : "enabled" };
  if (chosen !== "none") body.reasoning_effort = chosen;
  for (const name of Object.keys(SAMPLING)) if (Number.isFinite(settings.sampling[name])) body[name] = settings.sampling[name];
  const stop = settings.stop.split("\n").filter(Boolean);
  if (stop.length) body.stop = stop;
  if (settings.json) body.response_format = { type: "json_object" };
  const tools = parseTools(chat.tools);
  if (tools.length) body.tools = tools;
  return body;
}
