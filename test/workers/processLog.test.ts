import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../../workers/logLines.js';
import { ProcessLog } from '../../workers/processLog.js';
import { readableLogLine } from '../../text/logLine.js';

const time = '2026-11-29T22:20:03.123Z';
/** That time as this machine's clock shows it. */
const local = new Date(time).toLocaleString('sv').slice('2026-'.length);
const context = { worker: 'trainer', run: 'r', step: 'refinement', attempt: 2 };

function linesOf(write: (log: ProcessLog, tick: (seconds: number) => void) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  let now = 0;
  const environment = { TEMPEH_LOG_CONTEXT: JSON.stringify(context) };
  const log = new ProcessLog(
    environment,
    (line) => void lines.push(line),
    () => now,
  );
  write(log, (seconds) => (now += 1000 * seconds));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('each event of a trainer is a line about its run, step and attempt; progress at each new loss, not too often', () => {
  const progress = (step: number, loss: number) => ({ kind: 'progress', progress: { step, totalSteps: 90, loss } });
  const lines = linesOf((log, tick) => {
    log.event({ kind: 'starting', message: 'Opening the data set' });
    log.event(progress(1, 5));
    tick(20);
    log.event(progress(2, 5));
    log.event(progress(3, 4));
    tick(1);
    log.event(progress(4, 3));
    log.event({ kind: 'checkpoint', checkpoint: { step: 4 } });
    log.event({ kind: 'waiting', message: 'The store is away' });
    log.event({ kind: 'failed', fault: 'data', message: 'A frame is damaged' });
  });
  for (const line of lines) assert.deepEqual({ ...line, ...context }, line);
  assert.deepEqual(
    lines.map(({ level, message, iteration }) => [level, message, iteration]),
    [
      ['info', 'Opening the data set', undefined],
      ['info', 'progress', 1],
      ['info', 'progress', 3],
      ['info', 'checkpoint saved', 4],
      ['warn', 'The store is away', undefined],
      ['error', 'A frame is damaged', undefined],
    ],
  );
});

test('no line shows a secret, whatever text it stands in', () => {
  process.env['TEMPEH_TEST_PASSWORD'] = 'correct horse';
  try {
    const lines: string[] = [];
    const log = openLog({ worker: 'data' }, (line) => void lines.push(line), 'info');
    log.info({ password: 'abc', request: { authorization: 'Basic xyz' } }, 'refused: correct horse is wrong');
    log.warn('the proxy http://me:hunter2@proxy:3128 does not answer');
    log.debug('below the level');
    assert.equal(lines.length, 2);
    const text = lines.join('');
    for (const secret of ['correct horse', 'abc', 'xyz', 'hunter2']) assert.ok(!text.includes(secret), secret);
    assert.match(text, /refused: \[secret\] is wrong/);
    assert.match(text, /http:\/\/me:\[secret\]@proxy:3128/);
  } finally {
    delete process.env['TEMPEH_TEST_PASSWORD'];
  }
});

test('progress reads as a sentence, with its date: a run takes weeks', () => {
  const numbers = { iteration: 1162, of: 2900, loss: 17.924298434202488, stepsPerSecond: 12.84388636203232 };
  const rest = {
    checkpointStep: 895,
    skippedBatches: 0,
    bytesRead: 106506937,
    cache: { hits: 5 },
    phases: { batch: 1 },
  };
  const line = { level: 'info', time, ...context, host: 'h', message: 'progress', ...numbers, ...rest };
  const sentence = 'step 1162 of 2900, loss 17.92, 12.8 steps/s, checkpoint 895';
  assert.equal(readableLogLine(JSON.stringify(line), 'in title'), `${local}  INFO   ${sentence}`);
});

test('on a terminal a line reads as a sentence; what is no line of ours stays as it is, harmless', () => {
  const line = JSON.stringify({
    level: 'warn',
    time,
    ...context,
    host: 'h',
    error: 'disk full',
    taskQueue: 'tempeh-gpu',
    message: 'Activity failed',
  });
  assert.equal(
    readableLogLine(line),
    `${local}  WARN   trainer  r/refinement  Activity failed: disk full  (attempt 2, taskQueue tempeh-gpu)`,
  );
  assert.equal(
    readableLogLine(line, 'in title'),
    `${local}  WARN   Activity failed: disk full  (taskQueue tempeh-gpu)`,
    'what a title says is not in each line',
  );
  assert.equal(readableLogLine('{"no": "line"}'), '{"no": "line"}');
  assert.equal(readableLogLine('\u001b[2J of a library'), '\\u001b[2J of a library');
});
