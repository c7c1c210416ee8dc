import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskObstacle } from '../../activities/fitness.js';
import { makeFolder, makeFolderSync } from '../../disk/makeFolder.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const ways: readonly (typeof makeFolder)[] = [makeFolder, async (...given) => makeFolderSync(...given)];

test('folders are made with those that they lie in; what is there is left as it is', async () => {
  for (const make of ways) {
    const root = temporaryFolder();
    const folder = join(root, 'a', 'b', 'c');
    await make(folder, { mode: 0o700 });
    await make(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    await make(`${root}/x/../y/`);
    assert.ok(existsSync(join(root, 'y')));
    await make('/');
    writeFileSync(join(root, 'file'), '');
    for (const path of ['file', 'file/below'].map((name) => join(root, name))) {
      await assert.rejects(make(path), { code: path.endsWith('file') ? 'EEXIST' : 'ENOTDIR' });
    }
  }
});

test(
  'a folder that cannot be made below /proc is refused; Node’s own would be tried for ever',
  { skip: !existsSync('/proc/self') },
  async () => {
    for (const make of ways) {
      await assert.rejects(make('/proc/tempeh-flow/cache'), { code: 'ENOENT' });
    }
    assert.match(
      (await diskObstacle('/proc/tempeh-flow')) ?? '',
      /^Nothing can be written to \/proc\/tempeh-flow: ENOENT/,
    );
    const { code, stderr } = await tempehFlow(['dev', '--directory', '/proc/tempeh-flow']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /The folder \/proc\/tempeh-flow cannot be made \(ENOENT.*\)\. Name one/);
    await assert.rejects(directoryStore('/proc/tempeh-flow').put('a', Buffer.from('b')), { code: 'ENOENT' });
  },
);
