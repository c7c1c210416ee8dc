import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogParts } from '../../checkpoints/logs/logParts.js';
import { attemptLogName } from '../../checkpoints/logs/readLogs.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

test('logs prints what the attempts of a step logged, or says which there are', async () => {
  const folder = temporaryFolder();
  const store = directoryStore(folder);
  for (const [hour, message] of ['Trains refinement', 'Going on from step 40'].entries()) {
    const attempt = attemptLogName(new Date(Date.UTC(2026, 0, 1, hour)), 'abc');
    const log = new LogParts({ store, run: 'r', step: 'refinement', attempt });
    const line = { level: 'info', time: '2026-01-01T01:00:00.000Z', worker: 'trainer', message };
    log.add(Buffer.from(`${JSON.stringify(line)}\n`));
    await log.close();
  }
  const ask = (...args: string[]) =>
    tempehFlow(['logs', 'r', ...args, '--set', `storage={kind: directory, path: ${folder}}`]);
  const [all, last, none] = await Promise.all([
    ask(),
    ask('refinement', '--attempt', '-1', '--json'),
    ask('evaluation'),
  ]);
  assert.match(all.stdout, /refinement, attempt 1, from .*\n.*Trains refinement\n.*attempt 2, .*\n.*from step 40\n$/);
  assert.equal((JSON.parse(last.stdout) as { message: string }).message, 'Going on from step 40');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no log of evaluation .*; there are: refinement \(attempts: 2\)/);
});
