import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { openStore } from '../../storage/openStore.js';
import { StoreUnsuitable, type ObjectStore } from '../../storage/types.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { LeaseLost } from '../../checkpoints/errors.js';
import type { SeenRequest } from '../support/servers/s3Proxy.js';
import { loadedStep, plainConfiguration, saveOf } from './checkpointFixtures.js';
import { startProxiedS3 } from '../support/servers/proxiedS3.js';

/** A real S3 server behind a proxy that makes it one without conditional puts: they are ignored, or refused (501). */
const { s3, proxy, direct } = await startProxiedS3();

const isConditional = ({ headers }: SeenRequest): boolean => 'if-match' in headers || 'if-none-match' in headers;
const behaviours = {
  ignores: (request: SeenRequest) => {
    if (!isConditional(request)) return null;
    const [Bucket, ...key] = request.path.split('/');
    const put = async (Body: Buffer): Promise<string> =>
      (await direct.send(new PutObjectCommand({ Bucket, Key: key.join('/'), Body }))).ETag ?? '';
    return { kind: 'put', put } as const;
  },
  refuses: (request: SeenRequest) =>
    isConditional(request) ? ({ kind: 'refuse', status: 501, code: 'NotImplemented' } as const) : null,
};

for (const how of ['ignores', 'refuses'] as const) {
  const open = (conditionalPuts: 'required' | 'emulated'): ObjectStore =>
    openStore({ ...s3.configuration, prefix: `${how}/`, endpoint: proxy.endpoint, conditionalPuts });
  const claim = (store: ObjectStore, attempt: string): Promise<CheckpointStore> =>
    CheckpointStore.claim(store, {
      run: 'r',
      stage: 'coarse-pretraining',
      attempt,
      configuration: plainConfiguration(),
    });

  test(`a store that ${how} conditional puts is refused, unless the setting that the error names allows it`, async () => {
    proxy.treat(behaviours[how]);
    await assert.rejects(claim(open('required'), 'one'), (error: unknown) => {
      assert.ok(error instanceof StoreUnsuitable, String(error));
      assert.match(
        error.message,
        new RegExp(`${how} conditional puts .*storage\\.conditionalPuts to "emulated".*the other`),
      );
      return true;
    });
  });

  test(`with emulated conditional puts training goes on there, and a worker that was given up is stopped at its next checkpoint (${how})`, async () => {
    proxy.treat(behaviours[how]);
    const store = open('emulated');
    const zombie = await claim(store, 'zombie');
    await zombie.save(saveOf(10));
    const successor = await claim(store, 'successor');
    assert.equal(await loadedStep(successor), 10);
    await assert.rejects(zombie.save(saveOf(20)), LeaseLost);
    await successor.save(saveOf(20));
    const third = await claim(store, 'third');
    assert.equal(await loadedStep(third), 20);
    assert.equal(third.manifest.checkpoints.at(-1)!.attempt, 'successor');
  });
}
