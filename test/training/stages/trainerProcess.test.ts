import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { TrainingStage } from '../../../configs/schema/training.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { keys } from '../../../storage/keys.js';
import type { TrainerEvent, TrainingJob } from '../../../training/process/protocol.js';
import { startChildWork, type ChildWork } from '../../support/processes/childWork.js';
import { packTinyDataset } from '../../support/tiny/tinyDataset.js';
import { readEvents } from '../../checkpoints/events/eventReader.js';
import { tinyConfiguration } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const store = directoryStore(root);
before(() => packTinyDataset(store), { timeout: 120_000 });

const configuration = tinyConfiguration({ storage: { kind: 'directory', path: root } });
let attempts = 0;

function start(run: string, stage: TrainingStage, changes: Partial<TrainingJob> = {}): ChildWork<TrainerEvent> {
  const workingDirectory = join(root, 'work');
  const job: TrainingJob = { run, stage, configuration, attempt: `${++attempts}`, workingDirectory, ...changes };
  return startChildWork('workers/trainer.js', { kind: 'train', job });
}

const isFinished = (event: TrainerEvent): event is Extract<TrainerEvent, { kind: 'finished' }> =>
  event.kind === 'finished';
const isCheckpoint = (event: TrainerEvent): boolean => event.kind === 'checkpoint';
const isGoingOn = (event: TrainerEvent): boolean => event.kind === 'starting' && /from step/.test(event.message);

async function finish(run: string, stage: TrainingStage): Promise<string> {
  const trainer = start(run, stage);
  const event = await trainer.seen(isFinished);
  assert.equal(await trainer.ended, 0);
  assert.ok(isFinished(event));
  return event.result.checkpoint.modelSha256;
}

/** Tag and step of every point that TensorBoard would show. */
async function points(run: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(`${keys.events(run, 'coarse')}/`)) {
    for (const { tag, step, scalar } of readEvents((await store.get(key)).body)) {
      if (tag !== undefined) found.push(`${step} ${tag} ${scalar ?? ''}`);
    }
  }
  return found;
}

let undisturbed = '';

test('a trainer trains its stage, reports the end, and exits', { timeout: 120_000 }, async () => {
  undisturbed = await finish('undisturbed', 'coarse-pretraining');
  assert.match(undisturbed, /^[0-9a-f]{64}$/);
});

test(
  'killed at whatever moment, the weights come out the same, and no event is doubled',
  { timeout: 180_000 },
  async () => {
    const moments = [isCheckpoint, isGoingOn, (event: TrainerEvent) => event.kind === 'progress'];
    for (const moment of moments) {
      const trainer = start('killed', 'coarse-pretraining');
      await trainer.seen(moment);
      trainer.process.kill('SIGKILL');
      assert.equal(await trainer.ended, 'SIGKILL');
    }
    assert.equal(await finish('killed', 'coarse-pretraining'), undisturbed);
    assert.deepEqual(await points('killed'), await points('undisturbed'));
  },
);

test('SIGTERM makes it save and report so, and another goes on from there', { timeout: 120_000 }, async () => {
  const trainer = start('stopped', 'coarse-pretraining');
  await trainer.seen(isGoingOn);
  trainer.process.kill('SIGTERM');
  const event = await trainer.seen(({ kind }) => kind === 'stopped');
  assert.ok(event.kind === 'stopped');
  assert.equal(event.checkpoint?.step ?? 0, event.step);
  assert.equal(await trainer.ended, 0);
  assert.equal(await finish('stopped', 'coarse-pretraining'), undisturbed);
});

test('a trainer does not outlive its worker', { timeout: 60_000 }, async () => {
  const trainer = start('orphaned', 'coarse-pretraining');
  await trainer.seen(isGoingOn);
  trainer.process.disconnect();
  assert.equal(await trainer.ended, 0);
});

test('a failure says whose fault it is', { timeout: 60_000 }, async () => {
  const faultOf = async (trainer: ChildWork<TrainerEvent>): Promise<string> => {
    const event = await trainer.seen(({ kind }) => kind === 'failed');
    assert.ok(event.kind === 'failed');
    return `${event.fault}: ${event.message}`;
  };
  assert.match(
    await faultOf(start('faulty', 'refinement')),
    /^configuration: coarse-finetuning of run faulty has not finished/,
  );
  const dataset = { ...configuration.dataset, name: 'unpacked' };
  const unpacked = start('faulty', 'coarse-pretraining', { configuration: { ...configuration, dataset } });
  assert.match(await faultOf(unpacked), /^data: There is no data set unpacked/);
});
