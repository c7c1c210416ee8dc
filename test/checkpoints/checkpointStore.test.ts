import { directoryStore } from '../../storage/directory/directoryStore.js';
import { describeCheckpoints } from './checkpointStoreContract.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();

describeCheckpoints('checkpoints in a directory', async () => directoryStore(folder));
