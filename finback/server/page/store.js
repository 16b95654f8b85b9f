// Where do conversations stay? In this browser's IndexedDB, one record each, and nowhere else.

const NAME = "finback";
const STORE = "chats";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Opens the store. Where the browser refuses one (some private windows), conversations last as long as the page. */
export async function openStore() {
  try {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    return new Store(await done(opening));
  } catch {
    return new Store(null);
  }
}

class Store {
  constructor(database) {
    this.database = database;
    this.channel = new BroadcastChannel(NAME);
  }

  /** Calls back with the id of a conversation that another tab has changed or removed. */
  watch(changed) {
    this.channel.onmessage = (event) => changed(event.data);
  }

  get lasting() {
    return this.database !== null;
  }

  async all() {
    return this.database ? done(this.#objects("readonly").getAll()) : [];
  }

  async get(id) {
    return this.database ? ((await done(this.#objects("readonly").get(id))) ?? null) : null;
  }

  async put(chat) {
    if (this.database) await done(this.#objects("readwrite").put(chat));
    this.channel.postMessage(chat.id);
  }

  async remove(id) {
    if (this.database) await done(this.#objects("readwrite").delete(id));
    this.channel.postMessage(id);
  }

  #objects(mode) {
    return this.database.transaction(STORE, mode).objectStore(STORE);
  }
}
