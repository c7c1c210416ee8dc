import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SetupError } from '../../infra/setup/errors.mjs';
import { wantedParts } from '../../infra/setup/parts.mjs';
import { checkPlatform } from '../../infra/setup/requirements.mjs';

const refused = (message: RegExp) => (error: unknown) => error instanceof SetupError && message.test(error.message);

test('the command line alone brings neither TensorFlow nor servers, a worker no servers', () => {
  assert.deepEqual(wantedParts(['--client']), ['packages', 'build']);
  assert.deepEqual(wantedParts(['--worker', '--gpu']), ['packages', 'runtime', 'binding', 'build']);
  assert.deepEqual(wantedParts(['--tensorflow', '--cpu']), ['packages', 'runtime', 'binding']);
  assert.equal(wantedParts([]).length, 6);
  assert.throws(() => wantedParts(['--client', '--gpu']), refused(/--client goes by itself/));
  assert.throws(() => wantedParts(['--cleint']), refused(/Unknown option --cleint/));
});

test('the command line alone is set up on any machine; TensorFlow is for Linux', () => {
  const actual = Object.getOwnPropertyDescriptor(process, 'platform')!;
  try {
    for (const platform of ['darwin', 'win32']) {
      Object.defineProperty(process, 'platform', { ...actual, value: platform });
      checkPlatform(wantedParts(['--client']));
      assert.throws(
        () => checkPlatform(wantedParts([])),
        (error: SetupError) => /setup -- --client/.test(error.mend),
      );
    }
  } finally {
    Object.defineProperty(process, 'platform', actual);
  }
});
