import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { describeCheckpoints } from './checkpointStoreContract.js';

const folder = await mkdtemp(join(tmpdir(), 'tempeh-checkpoints-'));
after(() => rm(folder, { recursive: true, force: true }));

describeCheckpoints('checkpoints in a directory', async () => directoryStore(folder));
