import { directoryStore } from './directory/directoryStore.js';
import type { ObjectStore, StoreConfiguration, StoreListener } from './types.js';

/**
 * As `openStore`, for processes and threads that are started often: the client of S3, which takes an eighth of a second to
 * load, is loaded for a bucket only.
 */
export async function loadStore(configuration: StoreConfiguration, listener?: StoreListener): Promise<ObjectStore> {
  return (await loadOpener(configuration))(listener);
}

/** As `loadStore`, for who has the listener only later. */
export async function loadOpener(
  configuration: StoreConfiguration,
): Promise<(listener?: StoreListener) => ObjectStore> {
  if (configuration.kind === 'directory') return () => directoryStore(configuration.path);
  const { openStore } = await import('./openStore.js');
  return (listener) => openStore(configuration, listener);
}
