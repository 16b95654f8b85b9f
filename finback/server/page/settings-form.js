// How does a user set things? The dialog of settings: each field writes what it stands for at once.

import { el } from "./dom.js";
import { SAMPLING, key, parseTools, saveSettings } from "./settings.js";
import { LANGUAGES, t } from "./words.js";

const $ = (id) => document.getElementById(id);

/**
 * Connects the dialog's fields and returns the function that shows it.
 * page: chat() is the conversation shown, keep(chat) saves it, relabel() and recolour() redraw, keyChanged() asks anew.
 */
export function bindSettings(settings, page) {
  const changed = () => saveSettings(settings);
  const fields = Object.entries(SAMPLING).map(([name, [min, max, step]]) => {
    const field = el("input", { type: "number", min: String(min), max: String(max), step: String(step), "data-t-hint": "default", inputmode: "decimal" });
    field.addEventListener("change", () => {
      // What the field itself calls wrong is not kept: the server would refuse it.
      if (field.value === "") delete settings.sampling[name];
      else if (field.checkValidity()) settings.sampling[name] = field.valueAsNumber;
      else return void field.reportValidity();
      changed();
    });
    $("sampling").append(el("label", {}, el("span", { "data-t": name }), field));
    return [name, field];
  });

  const show = () => {
    const chat = page.chat();
    $("system").value = chat.system;
    $("tools").value = chat.tools;
    checkTools();
    for (const [name, field] of fields) field.value = settings.sampling[name] ?? "";
    $("stop-words").value = settings.stop;
    $("json-mode").checked = settings.json;
    $("language").value = document.documentElement.lang.slice(0, 2);
    $("theme").value = settings.theme;
    $("key").value = key.get();
    $("settings").showModal();
  };

  function checkTools() {
    try {
      parseTools($("tools").value);
      $("tools-bad").hidden = true;
    } catch (error) {
      $("tools-bad").textContent = t("toolsBad", error.message);
      $("tools-bad").hidden = false;
    }
  }

  for (const [code, name] of Object.entries(LANGUAGES)) $("language").append(el("option", { value: code }, name));
  for (const name of ["system", "tools"])
    $(name).addEventListener("input", () => {
      page.chat()[name] = $(name).value;
      page.keep(page.chat());
      checkTools();
    });
  const writes = {
    "stop-words": () => (settings.stop = $("stop-words").value),
    "json-mode": () => (settings.json = $("json-mode").checked),
    language: () => {
      settings.language = $("language").value;
      page.relabel();
    },
    theme: () => {
      settings.theme = $("theme").value;
      page.recolour();
    },
    key: () => {
      key.set($("key").value.trim());
      page.keyChanged();
    },
  };
  for (const [id, write] of Object.entries(writes))
    $(id).addEventListener("change", () => {
      write();
      changed();
    });
  $("reset").addEventListener("click", () => {
    for (const [, field] of fields) field.value = "";
    $("stop-words").value = settings.stop = "";
    $("json-mode").checked = settings.json = false;
    settings.sampling = {};
    changed();
  });
  return show;
}
