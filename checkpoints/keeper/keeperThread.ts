import { parentPort, workerData } from 'node:worker_threads';
import type { ObjectStore, StoreListener } from '../../storage/types.js';
import type { KeeperThreadStart } from './messages.js';
import { serveKeeper } from './serveKeeper.js';

/** The thread that saves. The client of S3, which takes long to load, is loaded where it is needed. */
const { storage, accepted, ...start } = workerData as KeeperThreadStart;

async function opener(): Promise<(listener: StoreListener) => ObjectStore> {
  if (storage.kind === 'directory') {
    const { directoryStore } = await import('../../storage/directory/directoryStore.js');
    return () => directoryStore(storage.path);
  }
  const { rememberAccepted } = await import('../../storage/s3/s3Credentials.js');
  rememberAccepted(accepted);
  const { openStore } = await import('../../storage/openStore.js');
  return (listener) => openStore(storage, listener);
}

// What is sent meanwhile waits in the port.
serveKeeper(parentPort!, start, await opener());
