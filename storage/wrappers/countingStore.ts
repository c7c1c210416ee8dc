import type { ObjectStore } from '../types.js';

/** Bytes that went through a store, whichever way they came to be asked for. */
export interface TransferCount {
  bytesRead: number;
  bytesWritten: number;
}

/** The same store, with a count of the bytes that are read and written through it. */
export function countingStore(store: ObjectStore): { readonly store: ObjectStore; readonly count: TransferCount } {
  const count: TransferCount = { bytesRead: 0, bytesWritten: 0 };
  const counting: ObjectStore = {
    description: store.description,
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    delete: (keys) => store.delete(keys),
    unfinishedUploads: (prefix) => store.unfinishedUploads(prefix),
    abandonUploads: (uploads) => store.abandonUploads(uploads),
    async get(key, options) {
      const answer = await store.get(key, options);
      count.bytesRead += answer.body.length;
      return answer;
    },
    async download(key, path, options) {
      const information = await store.download(key, path, options);
      count.bytesRead += information.size;
      return information;
    },
    async put(key, body, options) {
      const information = await store.put(key, body, options);
      count.bytesWritten += information.size;
      return information;
    },
  };
  return { store: counting, count };
}
