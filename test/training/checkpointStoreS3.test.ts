import { after } from 'node:test';
import { startTestS3 } from '../support/s3.js';
import { describeCheckpoints } from './checkpointStoreContract.js';

const s3 = await startTestS3();
after(() => s3.stop());

describeCheckpoints('checkpoints in a bucket', async () => s3.store('checkpoints/'));
