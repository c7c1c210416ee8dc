import { directoryStore } from './directoryStore.js';
import { s3Store } from './s3Store.js';
import type { ObjectStore, StoreConfiguration } from './types.js';

/** The object store that a configuration names. Nothing is read or written yet; credentials come from the environment. */
export function openStore(configuration: StoreConfiguration): ObjectStore {
  return configuration.kind === 's3' ? s3Store(configuration) : directoryStore(configuration.path);
}
