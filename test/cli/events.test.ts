import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../configs/load.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();

test('events writes a run’s event files into a folder: stages, and the configuration beside them', async () => {
  const objects = join(folder, 'objects');
  const store = directoryStore(objects);
  const storage = `storage={kind: directory, path: ${objects}}`;
  const configuration = await loadConfiguration('miniature', [storage]);
  await store.put(keys.runConfiguration('r'), Buffer.from(JSON.stringify(configuration)));
  const out = join(folder, 'out');
  const none = await tempehFlow(['events', 'r', out, '--set', storage]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /has no events of r \(yet\)/);
  await CheckpointStore.claim(store, { run: 'r', stage: 'coarse-pretraining', configuration, attempt: 'one' });
  await store.put(keys.eventSegment('r', 'coarse', 0, 'one'), Buffer.from('segment'));
  const { code, stderr, stdout } = await tempehFlow(['events', 'r', out, '--set', storage, '--json']);
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { files: number }).files, 2);
  const found = await readdir(out, { recursive: true });
  assert.ok(
    found.some((name) => /^events\.out\.tfevents\.\d+\.configuration-/.test(name)),
    found.join(),
  );
  assert.ok(
    found.some((name) => /^coarse\/.*\.one$/.test(name)),
    found.join(),
  );
});
