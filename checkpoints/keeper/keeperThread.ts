import { parentPort, workerData } from 'node:worker_threads';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { rememberAccepted } from '../../storage/s3/accepted.js';
import type { ObjectStore, StoreListener } from '../../storage/types.js';
import type { KeeperThreadStart } from './messages.js';
import { serveKeeper } from './serveKeeper.js';

/** The thread that saves. The client of S3, which takes long to load, is loaded where it is needed. */
const { storage, accepted, ...start } = workerData as KeeperThreadStart;

async function opener(): Promise<(listener: StoreListener) => ObjectStore> {
  if (storage.kind === 'directory') return () => directoryStore(storage.path);
  rememberAccepted(accepted);
  const { openStore } = await import('../../storage/openStore.js');
  return (listener) => openStore(storage, listener);
}

// What is sent meanwhile waits in the port.
serveKeeper(parentPort!, start, await opener());
