import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { BoundedLog } from '../../activities/processes/boundedLog.js';
import { attemptBegins, attemptEnds, lostReason } from '../../checkpoints/logs/attemptLines.js';
import { LogParts } from '../../checkpoints/logs/logParts.js';
import { attemptLogName } from '../../checkpoints/logs/readLogs.js';
import { readLogged } from '../../report/history/readLogged.js';
import { runReport } from '../../report/runReport.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { begun, trainedBy } from './reportFixture.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

test('the report has of each attempt its worker and why it ended, by the logs in the store', async () => {
  const folder = temporaryFolder();
  const store = directoryStore(join(folder, 'store'));
  await trainedBy(store, 'r');
  const hour = 3600;
  const log = async (after: number, worker: string | null, end: string | null, warning?: string): Promise<void> => {
    const attempt = attemptLogName(new Date(1000 * (begun + after)), 'abc');
    const parts = new LogParts({ store, run: 'r', step: 'coarse-pretraining', attempt }, { partBytes: 200 });
    const file = new BoundedLog(join(folder, `${after}.log`), undefined, {}, (chunk) => parts.add(chunk));
    if (worker !== null) file.note(`attempt on ${worker}`, 'info', attemptBegins(worker));
    for (let line = 0; line < 40; line++) file.write(Buffer.from(`{"level":"info","message":"progress ${line}"}\n`));
    if (warning !== undefined) file.note(warning, 'warn');
    if (end !== null) file.note(`the attempt ended: ${end}`, 'info', attemptEnds(end));
    file.close();
    await parts.close();
  };
  await log(-5, 'host:1', null);
  await log(2.5 * hour, 'host:2', 'a full disk', 'Worker host:2 was at fault');
  await log(3 * hour - 5, 'host:3', 'stopped as asked, and saved');
  await log(6 * hour - 5, 'host:4', null);
  const { attempts, warnings } = await readLogged(store, 'r');
  assert.deepEqual(
    attempts.map(({ number, worker, end }) => [number, worker, end]),
    [
      [1, 'host:1', lostReason],
      [2, 'host:2', 'a full disk'],
      [3, 'host:3', 'stopped as asked, and saved'],
      [4, 'host:4', null],
    ],
  );
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ['Worker host:2 was at fault'],
  );
  const page = (await runReport({ store, run: 'r' }))!;
  assert.match(page, /<td>0<td>199<.*host:1<td class="text">its worker was lost/);
  assert.match(page, /<td>–<td>–<.*host:2<td class="text">a full disk/);
  assert.match(page, /<td>200<td>399<.*host:3<td class="text">stopped as asked, and saved/);
  assert.match(page, /<td>400<td>599<.*host:4<td class="text">–/);
});

test('logs of earlier versions say nothing of their attempts: nothing is made up', async () => {
  const store = directoryStore(temporaryFolder());
  for (const after of [0, 100]) {
    const attempt = attemptLogName(new Date(1000 * (begun + after)), 'abc');
    const parts = new LogParts({ store, run: 'r', step: 'refinement', attempt });
    parts.add(Buffer.from('{"level":"info","message":"trainer started as process 7"}\n'));
    await parts.close();
  }
  const { attempts } = await readLogged(store, 'r');
  assert.deepEqual(
    attempts.map(({ worker, end }) => [worker, end]),
    [
      [null, null],
      [null, null],
    ],
  );
});
