import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { LeaseLost } from '../../checkpoints/errors.js';
import { CheckpointKeeper } from '../../checkpoints/keeper/checkpointKeeper.js';
import { receiveError, sendError } from '../../checkpoints/keeper/faults.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { StoreUnavailable } from '../../storage/types.js';
import { readEvents } from './events/eventReader.js';
import { startTestS3 } from '../support/servers/s3.js';
import { loadedStep, plainConfiguration, stateAt } from './checkpointFixtures.js';

const s3 = await startTestS3();
after(() => s3.stop());
const stage = 'coarse-pretraining';

interface Kept {
  readonly keeper: CheckpointKeeper;
  readonly said: string[];
  readonly stopping: AbortController;
  readonly claim: (attempt: string) => Promise<CheckpointStore>;
}

/** A keeper with a thread of its own, over a real S3 server. */
async function keep(run: string, graceSeconds = 10): Promise<Kept> {
  const configuration: RunConfiguration = {
    ...plainConfiguration(),
    storage: { ...plainConfiguration().storage, ...s3.configuration },
  };
  const store = s3.store();
  const claim = (attempt: string): Promise<CheckpointStore> =>
    CheckpointStore.claim(store, { run, stage, attempt, configuration });
  const said: string[] = [];
  const stopping = new AbortController();
  const keeper = new CheckpointKeeper({
    job: { run, stage, attempt: 'one', configuration },
    checkpoints: await claim('one'),
    from: 0,
    last: null,
    onSaved: ({ step }) => said.push(`saved ${step}`),
    warn: (message) => said.push(message),
    onWaiting: (message) => said.push(message),
    stopping: stopping.signal,
    graceSeconds,
  });
  return { keeper, said, stopping, claim };
}

/** A step of TensorFlow, for the event loop: nothing else happens in this thread. */
const blockFor = (seconds: number): unknown =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);

/** The server's process is stopped, and goes on after a while, whatever this process does meanwhile. */
async function hang(seconds: number): Promise<void> {
  process.kill(-s3.processGroup, 'SIGSTOP');
  const child = spawn('sh', ['-c', `sleep ${seconds}; kill -CONT -${s3.processGroup}`], { stdio: 'ignore' });
  await once(child, 'spawn');
}

/** Numbers of 40 MB, so that an upload has several parts. */
function largeState(step: number): ReturnType<typeof stateAt> {
  const values = new Float32Array(10_000_000).fill(step);
  return { ...stateAt(step), model: { weight: { shape: [values.length], values } } };
}

test('while steps block for 20 s a checkpoint is uploaded at the rate of the store; a wait that is over is not reported', async () => {
  const { keeper, said, claim } = await keep('blocked');
  keeper.events.scalar(9, 'Total loss/train', 0.5);
  await keeper.save(largeState(10), false);
  // Told from the thread: it has begun before the step does.
  await sleep(500);
  blockFor(20);
  const asked = performance.now();
  await keeper.counted();
  assert.ok(performance.now() - asked < 2000, 'it was there before');
  assert.deepEqual(said, ['saved 10']);
  assert.ok(keeper.saveSeconds! < 15, `it took ${keeper.saveSeconds} s, and not until the step's end`);

  // A store that hangs for a part of a step: there is no answer for a while, but there is one when the step is over.
  await hang(6);
  await keeper.save(stateAt(20), false);
  blockFor(12);
  await keeper.counted();
  assert.deepEqual(said, ['saved 10', 'saved 20']);
  await keeper.end();
  assert.equal(await loadedStep(await claim('two')), 20);
  const segments = (await readManifest(s3.store(), 'blocked', 'coarse'))!.events;
  const { body } = await s3.store().get(segments[0]!.key);
  assert.ok(
    [...readEvents(body)].some(({ tag, step, scalar }) => tag === 'Total loss/train' && step === 9 && scalar === 0.5),
  );
});

test('a wait is reported while it lasts', async () => {
  const { keeper, said } = await keep('waiting');
  process.kill(-s3.processGroup, 'SIGSTOP');
  try {
    await keeper.save(stateAt(10), false);
    while (said.length === 0) await sleep(50);
  } finally {
    process.kill(-s3.processGroup, 'SIGCONT');
  }
  await keeper.settled();
  assert.equal(said.at(-1), 'saved 10');
  assert.match(said[0]!, /^Saving the checkpoint of step 10 has waited for 5 s: there is no answer/);
  await keeper.end();
});

test('told to stop while the store hangs, it gives up at the end of the grace; the last checkpoint counts', async () => {
  const { keeper, stopping, claim } = await keep('given-up', 1);
  await keeper.save(stateAt(10), false);
  await keeper.settled();
  await hang(4);
  await keeper.save(stateAt(20), false);
  const stopped = performance.now();
  stopping.abort('pre-empted');
  await assert.rejects(keeper.settled(), /it was not saved within 1 s/);
  await keeper.end();
  assert.ok(performance.now() - stopped < 5000);
  assert.equal(keeper.last?.step, 10);
  assert.equal((await claim('two')).manifest.checkpoints.at(-1)?.step, 10);
});

test('a superseded attempt learns it from the next call, by the class of the error', async () => {
  const { keeper, claim } = await keep('taken-over');
  await claim('two');
  await keeper.save(stateAt(10), false);
  await assert.rejects(keeper.settled(), (error) => {
    assert.ok(error instanceof LeaseLost);
    assert.equal(error.attempt, 'one');
    return true;
  });
  assert.throws(() => keeper.throwIfFailed(), LeaseLost);
  await keeper.end();
});

test('errors keep name, message, fields and causes on their way between threads', () => {
  const cause = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const received = receiveError(structuredClone(sendError(new StoreUnavailable('Could not write', { cause }))));
  assert.ok(received instanceof StoreUnavailable);
  assert.equal(String(received), 'StoreUnavailable: Could not write');
  assert.equal((received.cause as NodeJS.ErrnoException).code, 'ECONNRESET');
  const unknown = receiveError(structuredClone(sendError(Object.assign(new Error('x'), { name: 'Other' }))));
  assert.deepEqual([unknown instanceof Error, unknown.name], [true, 'Other']);
});
