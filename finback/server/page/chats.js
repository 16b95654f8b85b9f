// What is a conversation? A tree of messages: an edit or a retry is a new branch, and nothing is lost.
//
// chat: {id, title, created, updated, system, tools, leaf, nodes}. nodes: each {id, parent, role, content, ...} in the
// order they came. The conversation that is shown is the path from the root to `leaf`.

const VERSION = 1;
const TITLE = 60;
const ROLES = ["user", "assistant", "tool"];

export function newChat(system = "", tools = "") {
  const now = Date.now();
  return { id: crypto.randomUUID?.() ?? random(), title: "", created: now, updated: now, system, tools, leaf: null, nodes: [] };
}

/** A random name; crypto.randomUUID exists only on https and loopback. */
function random() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Adds a message under `parent` (null: a new root) and shows the branch that it ends. */
export function add(chat, parent, node) {
  const added = { id: random(), parent, created: Date.now(), ...node };
  chat.nodes.push(added);
  chat.leaf = added.id;
  chat.updated = added.created;
  if (!chat.title && node.role === "user") chat.title = titleOf(node.content);
  return added;
}

function titleOf(text) {
  const line = text.trim().split("\n")[0];
  return line.length > TITLE ? `${line.slice(0, TITLE - 1)}…` : line;
}

export function find(chat, id) {
  return chat.nodes.find((node) => node.id === id) ?? null;
}

/** The messages from the root to `leaf`. */
export function path(chat, leaf = chat.leaf) {
  const nodes = new Map(chat.nodes.map((node) => [node.id, node])), found = [];
  for (let node = nodes.get(leaf); node; node = nodes.get(node.parent)) found.unshift(node);
  return found;
}

/** The other versions of a message, itself included, in the order they came. */
export function versions(chat, node) {
  return chat.nodes.filter((other) => other.parent === node.parent && other.role === node.role);
}

/** Shows the branch through `node` whose end is newest. */
export function select(chat, node) {
  let leaf = node;
  for (let next = leaf; next; ) {
    leaf = next;
    const children = chat.nodes.filter((other) => other.parent === leaf.id);
    next = children[children.length - 1];
  }
  chat.leaf = leaf.id;
}

/** A conversation of its own that goes on from `node`. */
export function fork(chat, node) {
  const copy = newChat(chat.system, chat.tools);
  copy.title = chat.title;
  copy.nodes = structuredClone(path(chat, node.id));
  copy.leaf = node.id;
  return copy;
}

/** The messages as the API takes them, up to and with `leaf`. An answer that failed before its first word is none. */
export function toMessages(chat, leaf = chat.leaf) {
  const messages = chat.system.trim() ? [{ role: "system", content: chat.system }] : [];
  for (const node of path(chat, leaf)) {
    if (saidNothing(node)) continue;
    const message = { role: node.role, content: node.content };
    if (node.role === "tool") message.tool_call_id = node.tool_call_id;
    if (node.role === "assistant") {
      if (node.reasoning) message.reasoning_content = node.reasoning;
      if (node.tool_calls?.length)
        message.tool_calls = node.tool_calls.map((call) => ({ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }));
    }
    messages.push(message);
  }
  return messages;
}

export function saidNothing(node) {
  return node.role === "assistant" && !node.content && !node.reasoning && !node.tool_calls?.length;
}

export function toFile(chats) {
  return JSON.stringify({ finback: "conversations", version: VERSION, chats }, null, 1);
}

/** The conversations in a file that `toFile` made. Throws an Error for anything else; takes only fields it knows. */
export function fromFile(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error("not JSON");
  }
  if (data?.finback !== "conversations" || !Array.isArray(data.chats)) throw new Error("not an export of this page");
  if (data.version !== VERSION) throw new Error(`version ${data.version}, expected ${VERSION}`);
  return data.chats.map(checked);
}

function checked(raw) {
  const chat = newChat(string(raw?.system), string(raw?.tools));
  chat.title = string(raw?.title).slice(0, 200);
  chat.created = number(raw?.created, chat.created);
  chat.updated = number(raw?.updated, chat.updated);
  const seen = new Set();
  for (const node of Array.isArray(raw?.nodes) ? raw.nodes : []) {
    const known = typeof node?.id === "string" && !seen.has(node.id) && (node.parent === null || seen.has(node.parent));
    if (!known || !ROLES.includes(node.role)) continue; // parents come before their children, so no path can be a circle
    seen.add(node.id);
    chat.nodes.push({
      id: node.id,
      parent: node.parent,
      role: node.role,
      created: number(node.created, chat.created),
      content: string(node.content),
      reasoning: string(node.reasoning),
      tool_call_id: string(node.tool_call_id),
      tool_calls: (Array.isArray(node.tool_calls) ? node.tool_calls : []).map((call) => ({
        id: string(call?.id),
        name: string(call?.name),
        arguments: string(call?.arguments),
        malformed: string(call?.malformed),
      })),
      model: string(node.model),
      finish: string(node.finish),
      error: string(node.error),
      times: numbers(node.times),
      usage: numbers(node.usage),
    });
  }
  chat.leaf = seen.has(raw?.leaf) ? raw.leaf : (chat.nodes.at(-1)?.id ?? null);
  return chat;
}

const string = (value) => (typeof value === "string" ? value : "");
const number = (value, otherwise) => (Number.isFinite(value) ? value : otherwise);
const numbers = (value) =>
  value && typeof value === "object" ? Object.fromEntries(Object.entries(value).filter(([, v]) => Number.isFinite(v))) : null;
