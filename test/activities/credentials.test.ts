import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { readCredentials } from '../../activities/credentials.js';

test('credentials come from variables or from files, which win and lose their line end', async () => {
  const fromVariables = await readCredentials({ TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: 'pass word ' });
  assert.deepEqual(fromVariables, { username: 'me', password: 'pass word ' });
  const file = join(mkdtempSync(join(tmpdir(), 'tempeh-secret-')), 'password');
  writeFileSync(file, 'from a file\n');
  const environment = { TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: 'old', TEMPEH_PASSWORD_FILE: file };
  assert.equal((await readCredentials(environment)).password, 'from a file');
});

test('what is missing is named, as a fault that is not retried, without any secret', async () => {
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{}, /no TEMPEH_USERNAME\. Give the data worker's environment TEMPEH_USERNAME, or TEMPEH_USERNAME_FILE/],
    [{ TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: '' }, /no TEMPEH_PASSWORD\./],
    [{ TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD_FILE: '/nonexistent/x' }, /TEMPEH_PASSWORD_FILE cannot be read: ENOENT/],
  ];
  for (const [environment, wanted] of cases) {
    await assert.rejects(readCredentials(environment), (error: unknown) => {
      assert.ok(error instanceof ApplicationFailure);
      assert.deepEqual([error.type, error.nonRetryable], ['CredentialsRefused', true]);
      assert.match(error.message, wanted);
      return true;
    });
  }
});
