import { emulateConditions } from './wrappers/conditionalPuts.js';
import { directoryStore } from './directory/directoryStore.js';
import { s3Client } from './s3/s3Client.js';
import { s3Store } from './s3/s3Store.js';
import type { ObjectStore, StoreConfiguration, StoreListener } from './types.js';

/**
 * The object store that a configuration names. Nothing is read or written yet; credentials come from the environment.
 *
 * @param listener is called while requests wait for credentials to be renewed that had been accepted; without one, such
 *   requests fail with CredentialsExpired.
 */
export function openStore(configuration: StoreConfiguration, listener?: StoreListener): ObjectStore {
  if (configuration.kind === 'directory') return directoryStore(configuration.path);
  const store = s3Store(configuration, s3Client(configuration, listener));
  return configuration.conditionalPuts === 'emulated' ? emulateConditions(store) : store;
}
