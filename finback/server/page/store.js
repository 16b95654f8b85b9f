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
  }

  get lasting() {
    return this.database !== null;
  }

  async all() {
    return this.database ? done(this.#objects("readonly").getAll()) : [];
  }

  async put(chat) {
    if (this.database) await done(this.#objects("readwrite").put(chat));
  }

  async remove(id) {
    if (this.database) await done(this.#objects("readwrite").delete(id));
  }

  #objects(mode) {
    return this.database.transaction(STORE, mode).objectStore(STORE);
  }
}
