import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { credentialsFor, readCredentials } from '../../activities/credentials/credentials.js';
import { published } from '../../datasets/fetch/published.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

test('credentials come from variables or from files, which win and lose their line end', async () => {
  const fromVariables = await readCredentials({ TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: 'pass word ' });
  assert.deepEqual(fromVariables, { username: 'me', password: 'pass word ' });
  const file = join(temporaryFolder(), 'password');
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

const isRefused = (wanted: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApplicationFailure);
  assert.deepEqual([error.type, error.nonRetryable], ['CredentialsRefused', true]);
  assert.match(error.message, wanted);
  assert.doesNotMatch(error.message, /secret/);
  return true;
};

test('credentials go to the host that they are for, and to no other that an input names', async () => {
  const mine = { TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: 'secret' };
  const host = 'https://mirror.example.org/download.php';
  const bound = { ...mine, TEMPEH_HOST: host };
  assert.deepEqual(await credentialsFor(host, bound), { username: 'me', password: 'secret' });
  assert.deepEqual(await credentialsFor(published.host, mine), { username: 'me', password: 'secret' });
  const others = [
    'https://evil.example.org/download.php',
    'http://mirror.example.org/download.php',
    'https://mirror.example.org:444/download.php',
    'https://mirror.example.org/other.php',
    'https://mirror.example.org/download.php?to=x',
    'https://me@mirror.example.org/download.php',
    'https://mirror.example.org.evil.org/download.php',
    'nonsense \u001b[2J',
    published.host,
  ];
  for (const other of others) {
    await assert.rejects(
      credentialsFor(other, bound),
      isRefused(
        /is not a host that the owner .* set TEMPEH_HOST=.* or add it to the table that TEMPEH_HOSTS_FILE names/,
      ),
    );
  }
  await assert.rejects(credentialsFor('x\u001b[2J', bound), isRefused(/^x\\u001b\[2J \(dataset\.source\.host/));
});

test('a table gives each host credentials of its own, read anew, and its errors show nothing of them', async () => {
  const folder = temporaryFolder();
  const [table, password] = [join(folder, 'hosts.yaml'), join(folder, 'password')];
  const environment = { TEMPEH_HOSTS_FILE: table, TEMPEH_USERNAME: 'me', TEMPEH_PASSWORD: 'secret' };
  writeFileSync(password, 'secret of a\n');
  writeFileSync(
    table,
    `- { host: "https://a.example/d.php", username: a, passwordFile: ${password} }\n` +
      '- { host: "https://b.example/d.php", username: b }\n',
  );
  const ofA = () => credentialsFor('https://a.example/d.php', environment);
  assert.deepEqual(await ofA(), { username: 'a', password: 'secret of a' });
  writeFileSync(password, 'secret renewed');
  assert.equal((await ofA()).password, 'secret renewed');
  await assert.rejects(
    credentialsFor('https://b.example/d.php', environment),
    isRefused(/no password for https:\/\/b/),
  );
  await assert.rejects(
    credentialsFor('https://c.example/d.php', environment),
    isRefused(/a\.example.*, https:\/\/b\.example/),
  );
  assert.equal((await credentialsFor(published.host, environment)).username, 'me');
  for (const text of ['a: [secret', '- { host: "https://a.example/", pass: secret }', '- { host: "ftp://secret@x" }']) {
    writeFileSync(table, text);
    await assert.rejects(ofA(), isRefused(/hosts\.yaml that TEMPEH_HOSTS_FILE names cannot be used/));
  }
});
