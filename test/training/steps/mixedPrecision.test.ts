import '../../support/processes/deterministicOperations.js';
import '../../support/processes/bfloat16Activations.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { tensorMemory } from '../../../tensor/index.js';
import { withArithmetic } from '../../../tensor/engine/precision.js';
import { StageStopped } from '../../../training/errors.js';
import type { StageResult, TrainerEvent } from '../../../training/process/protocol.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { tinyConfiguration, tinyData, tinyJob } from '../stages/tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const events: TrainerEvent[] = [];

/** A stage in bfloat16, stopped after each of so many steps and resumed; its steps' tensors are counted. */
async function train(folder: string, stops: readonly number[]): Promise<StageResult> {
  const often = { validateEvery: 2, checkpointEvery: 2, picturesEvery: 5, scanPoints: 50 };
  const configuration = tinyConfiguration({
    storage: { kind: 'directory', path: join(root, folder) },
    training: { 'coarse-pretraining': { iterations: 6, ...often } },
  });
  for (const [attempt, stopAfter] of [...stops, Infinity].entries()) {
    const stopping = new AbortController();
    let steps = 0;
    const counts: number[] = [];
    try {
      const job = tinyJob(configuration, 'coarse-pretraining', `attempt-${attempt}`);
      const training = withArithmetic(false, () =>
        trainStage(job, (event) => events.push(event), stopping.signal, {
          openData: async () => tinyData(),
          onStep: () => {
            counts.push(tensorMemory().tensors);
            if (++steps === stopAfter) stopping.abort('enough');
          },
        }),
      );
      const result = await training;
      // After the last step no next batch is there.
      assert.equal(counts.at(-2), counts.at(-3), `tensors after each step: ${counts.join(' ')}`);
      return result;
    } catch (cause) {
      if (!(cause instanceof StageStopped)) throw cause;
    }
  }
  throw new Error('the last attempt was stopped');
}

test('a run in bfloat16 that is stopped and resumed ends with the same weights, to the bit', async () => {
  const undisturbed = await train('undisturbed', []);
  const resumed = await train('resumed', [1, 2]);
  assert.equal(undisturbed.step, 6);
  assert.equal(resumed.checkpoint.modelSha256, undisturbed.checkpoint.modelSha256);
  const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.match(warnings[0] ?? '', /precision: bfloat16 on a processor without its arithmetic/);
});
