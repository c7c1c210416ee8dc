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
    log.add(Buffer.from(`${JSON.stringify(line)}\nI0000 a library's own words\n`));
    await log.close();
  }
  const ask = (...args: string[]) =>
    tempehFlow(['logs', 'r', ...args, '--set', `storage={kind: directory, path: ${folder}}`]);
  const [all, last, none] = await Promise.all([
    ask(),
    ask('refinement', '--attempt', '-1', '--json'),
    ask('evaluation'),
  ]);
  const own = "  I0000 a library's own words\\n";
  assert.match(
    all.stdout,
    new RegExp(
      `refinement, attempt 1, from .*\\n.*Trains refinement\\n${own}.*attempt 2, .*\\n.*from step 40\\n${own}$`,
    ),
  );
  const [line, printed] = last.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { message: string; attempt?: number });
  assert.equal(line?.message, 'Going on from step 40');
  // A program reads every line as JSON.
  assert.deepEqual(printed, { level: 'info', step: 'refinement', attempt: 2, message: "I0000 a library's own words" });
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no log of evaluation .*; there are: refinement \(attempts: 2\)/);
});
