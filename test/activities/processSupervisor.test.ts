import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readableLogLine } from '../../text/logLine.js';
import { BoundedLog } from '../../activities/processes/boundedLog.js';
import { readTrainerEvent } from '../../activities/processes/processEvents.js';
import { superviseProcess, type ProcessEnd } from '../../activities/processes/processSupervisor.js';
import type { TrainerEvent } from '../../training/process/protocol.js';
import { isAlive } from './support/isAlive.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const modulePath = fileURLToPath(new URL('./support/misbehavingProcess.js', import.meta.url));

interface Observed {
  readonly end: ProcessEnd<TrainerEvent>;
  readonly events: TrainerEvent[];
  readonly log: BoundedLog;
  readonly seconds: number;
}

async function supervise(
  behaviour: string,
  options: {
    environment?: Record<string, string>;
    stop?: AbortSignal;
    onEvent?: (event: TrainerEvent) => void;
    graceSeconds?: number;
    progressTimeoutSeconds?: number;
  } = {},
): Promise<Observed> {
  const log = new BoundedLog(join(temporaryFolder(), 'trainer.log'));
  const events: TrainerEvent[] = [];
  const startedAt = Date.now();
  const end = await superviseProcess<TrainerEvent>({
    name: 'trainer',
    modulePath,
    environment: { ...process.env, TEMPEH_TEST_BEHAVIOUR: behaviour, ...options.environment },
    log,
    start: { kind: 'train' },
    stop: (reason) => ({ kind: 'stop', reason }),
    readEvent: readTrainerEvent,
    isLast: ({ kind }) => ['finished', 'stopped', 'failed'].includes(kind),
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
    stopSignal: options.stop ?? new AbortController().signal,
    graceSeconds: options.graceSeconds ?? 5,
    progressTimeoutSeconds: options.progressTimeoutSeconds ?? 5,
  });
  return { end, events, log, seconds: (Date.now() - startedAt) / 1000 };
}

/** what is in a log, in human-readable form. */
function textOf({ path }: BoundedLog): string {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => readableLogLine(line))
    .join('\n');
}

test('a process that finishes is heard to its end, and what it prints is in its log', async () => {
  const { end, events, log } = await supervise('finishes');
  assert.deepEqual(end, { kind: 'told', event: { kind: 'finished', result: { step: 2 } } });
  assert.deepEqual(
    events.map((event) => event.kind === 'progress' && event.progress.step),
    [1, 2],
  );
  assert.match(textOf(log), /trainer started as process \d+\nworking in /);
});

test('a crash names exit code or signal, and its last lines are kept for the message', async () => {
  const coded = await supervise('exits with a code');
  assert.deepEqual(coded.end, { kind: 'crashed', how: 'ended with exit code 7' });
  assert.deepEqual(coded.log.lastLines(1), ['about to fail: out of disk']);
  const { end } = await supervise('crashes natively');
  assert.deepEqual(end, { kind: 'crashed', how: 'was ended by SIGSEGV' });
});

test('a process that says nothing any more is ended, and called hung', async () => {
  const { end, events, seconds } = await supervise('hangs', { progressTimeoutSeconds: 0.8 });
  assert.equal(end.kind, 'hung');
  assert.equal(events.length, 1);
  assert.ok(seconds > 0.8 && seconds < 4, `after ${seconds} s`);
});

test('nonsense proves no progress, and does no harm', async () => {
  const { end, events, log } = await supervise('talks nonsense', { progressTimeoutSeconds: 0.8 });
  assert.equal(end.kind, 'hung');
  assert.deepEqual(events, []);
  assert.match(textOf(log), /trainer sent what is not an event: \{"kind":"progress","progress":null\}/);
});

test('garbage on the channel silences the process, but not its supervisor', async () => {
  const { end } = await supervise('writes garbage to the channel', { progressTimeoutSeconds: 0.8 });
  assert.equal(end.kind, 'hung');
});

test('asked to stop, a process saves and says so; the reason reaches it', async () => {
  const controller = new AbortController();
  const { end, seconds } = await supervise('stops in order', {
    stop: controller.signal,
    onEvent: () => controller.abort('the worker was told to stop'),
  });
  assert.equal(end.kind, 'told');
  assert.ok(end.kind === 'told' && end.event.kind === 'stopped');
  assert.equal((end.event as { reason?: string }).reason, 'the worker was told to stop');
  assert.ok(seconds < 4, `after ${seconds} s`);
});

test('a process that ignores every stop is killed when its grace is over, not before', async () => {
  const controller = new AbortController();
  const { end, seconds } = await supervise('ignores every stop', {
    stop: controller.signal,
    onEvent: () => controller.abort('cancelled'),
    graceSeconds: 1,
  });
  assert.equal(end.kind, 'killed');
  assert.ok(seconds >= 1 && seconds < 4, `after ${seconds} s`);
});

test('a process that ends by itself when its grace is over has stopped, it has not failed', async () => {
  const controller = new AbortController();
  const onEvent = () => controller.abort('stop');
  const { end } = await supervise('gives up when its grace is over', { stop: controller.signal, onEvent });
  assert.equal(end.kind, 'killed');
});

test('a process is not even started for a worker that is stopping', async () => {
  const { end, log } = await supervise('finishes', { stop: AbortSignal.abort('stopping') });
  assert.equal(end.kind, 'killed');
  assert.equal(readFileSync(log.path, 'utf8'), '');
});

test('a module that does not exist is a crash that says so', async () => {
  const log = new BoundedLog(join(temporaryFolder(), 'trainer.log'));
  const end = await superviseProcess<TrainerEvent>({
    name: 'trainer',
    modulePath: '/nonexistent/trainer.js',
    environment: process.env,
    log,
    start: { kind: 'train' },
    stop: () => ({ kind: 'stop' }),
    readEvent: readTrainerEvent,
    isLast: () => false,
    onEvent: () => {},
    stopSignal: new AbortController().signal,
    graceSeconds: 1,
    progressTimeoutSeconds: 5,
  });
  assert.deepEqual(end, { kind: 'crashed', how: 'ended with exit code 1' });
  assert.ok(log.lastLines(30).some((line) => line.includes("Cannot find module '/nonexistent/trainer.js'")));
});

test('what a process started is gone when the process is', async () => {
  const file = join(temporaryFolder(), 'pid');
  const { end } = await supervise('leaves a process behind', { environment: { LEFT_BEHIND: file } });
  assert.equal(end.kind, 'told');
  const pid = Number(readFileSync(file, 'utf8'));
  for (let i = 0; i < 50 && isAlive(pid); i++) await sleep(20);
  assert.equal(isAlive(pid), false);
});

test('secrets come by the environment', async () => {
  const { end } = await supervise('tells its environment', { environment: { SECRET: 'hidden' } });
  assert.deepEqual(end, {
    kind: 'told',
    event: { kind: 'finished', result: { secret: 'hidden', execArgv: ['--enable-source-maps'] } },
  });
});
