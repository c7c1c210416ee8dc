import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { WorkerLimits } from '../../activities/workerLimits.js';
import { s3At } from '../../storage/s3/s3Client.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const isRefused = (wanted: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApplicationFailure);
  assert.deepEqual([error.type, error.nonRetryable], ['ConfigurationInvalid', true]);
  assert.match(error.message, wanted);
  return true;
};
const fresh = () => temporaryFolder();
const at = (endpoint: string) => s3At({ bucket: 'bucket', region: 'us-east-1', endpoint });

test('an object store that the owner did not name gets nothing of this worker', () => {
  const environment = {
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000/',
    TEMPEH_STORES: 'https://s3.a.org https://b.org/s3',
  };
  const limits = WorkerLimits.of(fresh(), environment);
  for (const endpoint of ['http://127.0.0.1:9000', 'https://s3.a.org/', 'https://b.org/s3'])
    limits.checkStore(at(endpoint));
  limits.checkStore({ ...at('http://127.0.0.1:9000'), endpoint: null });
  for (const endpoint of [
    'https://evil.org',
    'http://s3.a.org',
    'https://b.org',
    'https://s3.a.org:8443',
    'no address',
  ]) {
    assert.throws(() => limits.checkStore(at(endpoint)), isRefused(/^storage\.endpoint is .* set TEMPEH_STORES=/));
  }
  let opened = 0;
  const open = limits.stores(() => {
    opened++;
    throw new Error('opened');
  });
  assert.throws(() => open(at('https://evil.org')), isRefused(/Nothing was sent to it/));
  assert.equal(opened, 0);
  assert.throws(() => open(at('https://s3.a.org')), /opened/);
  assert.throws(() => WorkerLimits.of(fresh(), { TEMPEH_STORES: 's3.a.org:9000/x y' }), /TEMPEH_STORES holds/);
});

test('only folders of the owner are read and written, whatever way a path takes to others', () => {
  const [own, allowed, foreign] = [fresh(), fresh(), fresh()];
  mkdirSync(join(foreign, 'secrets'));
  symlinkSync(join(foreign, 'secrets'), join(allowed, 'link'));
  symlinkSync(allowed, join(foreign, 'back'));
  const limits = WorkerLimits.of(own, { TEMPEH_FOLDERS: `${allowed}:/nonexistent/base` });
  for (const path of [
    own,
    join(own, 'data/not/yet'),
    allowed,
    join(allowed, 'x'),
    '/nonexistent/base/y',
    join(foreign, 'back', 'z'),
  ]) {
    assert.equal(limits.checkFolder('dataset.source.path', path), path);
  }
  const outside = [
    foreign,
    '/',
    '/etc',
    `${own}-beside`,
    join(own, '..'),
    `${allowed}/../${foreign.split('/').at(-1)}`,
    join(allowed, 'link'),
    join(allowed, 'link', 'deeper', 'still'),
  ];
  for (const path of outside) {
    const refused = isRefused(/^dataset\.source\.path is .* not below a folder .* set TEMPEH_FOLDERS=/);
    assert.throws(() => limits.checkFolder('dataset.source.path', path), refused, path);
  }
  assert.throws(() => limits.checkStore({ kind: 'directory', path: '/etc' }), isRefused(/^storage\.path is \/etc/));
  assert.throws(() => WorkerLimits.of(own, { TEMPEH_FOLDERS: 'relative' }), /TEMPEH_FOLDERS holds "relative"/);
});

test('a run is no way out of the worker’s folder', () => {
  const own = fresh();
  const limits = WorkerLimits.of(own, {});
  assert.equal(limits.runFolder('heads-1'), join(own, 'runs', 'heads-1'));
  for (const run of ['../../etc', 'a/b', '', '.', '..', 'a\u0000']) {
    assert.throws(() => limits.runFolder(run), isRefused(/The run's name is/), run);
  }
});
