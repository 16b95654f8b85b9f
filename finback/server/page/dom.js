// How does the page make elements? Small helpers; text always goes in as text.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  sliders: "M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4",
  scope: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 21 21M8 12v-2M10.5 12.5v-5M13 12v-3",
  send: "M12 20V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12l5 5 9-10",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  retry: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  branch: "M7 7.5v9M7 7.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 20.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 9.5c0 5-10 3-10 7",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  export: "M12 4v11M7 10l5 5 5-5M4 20h16",
  import: "M12 15V4M7 9l5-5 5 5M4 20h16",
  help: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 17.5v.5",
  tool: "M14 6a4 4 0 0 0-4 5L4 17l3 3 6-6a4 4 0 0 0 5-5l-3 2-2-2z",
};

/** An element with attributes and children. `on` holds listeners; null and false leave an attribute or child out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon and says its label to those who cannot see it. */
export function iconButton(name, label, click, attributes = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click }, ...attributes }, icon(name));
}

/** Copies text, and shows in the button that it did. */
export async function copy(text, button, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https or permission the clipboard has no interface; a selected field does the same.
    const field = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const before = [...button.childNodes], label = button.getAttribute("aria-label");
  button.replaceChildren(icon("check"));
  button.setAttribute("aria-label", done);
  setTimeout(() => {
    button.replaceChildren(...before);
    button.setAttribute("aria-label", label);
  }, 1200);
}

/** Offers text to the user as a file. */
export function download(name, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
