import { parentPort, workerData } from 'node:worker_threads';
import { loadOpener } from '../../storage/loadStore.js';
import { rememberAccepted } from '../../storage/s3/accepted.js';
import type { KeeperThreadStart } from './messages.js';
import { serveKeeper } from './serveKeeper.js';

/** The thread that saves. The client of S3, which takes long to load, is loaded where it is needed. */
const { storage, accepted, ...start } = workerData as KeeperThreadStart;

rememberAccepted(accepted);
// What is sent meanwhile waits in the port.
serveKeeper(parentPort!, start, await loadOpener(storage));
