import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownVariables, unknownVariables } from '../../configs/ownVariables.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { sourceFiles } from '../support/sourceFiles.js';

test('a variable with our prefix that nothing reads is named, with what may have been meant', () => {
  const lines = unknownVariables({ TEMPEH_CAHCE: '/data', TEMPEH_SLOTS: '2', TEMPEH_LOG_CONTEXT: '{}', PATH: '/bin' });
  assert.deepEqual(lines, [
    'TEMPEH_CAHCE is set, and nothing reads a variable of that name. Did you mean TEMPEH_CACHE?',
  ]);
  const ofServices = [
    'S3_SERVICE_HOST',
    'S3_SERVICE_PORT',
    'S3_SERVICE_PORT_HTTP',
    'S3_PORT',
    'S3_PORT_9000_TCP_ADDR',
    'PORT',
  ];
  assert.deepEqual(unknownVariables(Object.fromEntries(ofServices.map((name) => [`TEMPEH_${name}`, 'x']))), []);
  assert.deepEqual(unknownVariables({ TEMPEH_SOMETHING_ELSE: '1' }), [
    'TEMPEH_SOMETHING_ELSE is set, and nothing reads a variable of that name.',
  ]);
});

test('the variables that are known are those that the program’s text names', () => {
  const named = new Set<string>();
  const isOurs = (file: string) => /\.(ts|mjs|cc|h)$/.test(file) && !/^test\/|^configs\/ownVariables/.test(file);
  for (const file of sourceFiles().filter(isOurs)) {
    for (const [name] of readFileSync(join(packageRoot, file), 'utf8').matchAll(/\bTEMPEH_[A-Z]\w*[A-Z]\b/g))
      named.add(name);
  }
  const environment = Object.fromEntries([...named].map((name) => [name, '1']));
  assert.deepEqual(unknownVariables(environment), []);
  assert.deepEqual(
    ownVariables.filter((name) => !named.has(name)),
    [],
  );
});
