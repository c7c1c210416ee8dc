import { parseCheckpointName } from '../../configs/runNames.js';
import { trainingStages } from '../../configs/schema/training.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import {
  branchRun,
  checkBranch,
  refuseOtherNetworks,
  type BranchPoint,
} from '../../checkpoints/branching/branchRun.js';
import { useLocalObjectStore } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { storedConfiguration } from '../store/publishedCheckpoints.js';
import { print } from '../terminal/print.js';

const branchStages = ['coarse', ...trainingStages] as const satisfies readonly BranchPoint['stage'][];

/** Reads `RUN/STAGE` or `RUN/STAGE@STEP`. @throws CommandError */
export function parseBranchPoint(text: string): BranchPoint {
  const named = parseCheckpointName(text);
  const stage = branchStages.find((known) => known === named?.stage);
  if (!named || !stage) {
    const expected =
      'RUN/coarse, RUN/coarse-pretraining, RUN/coarse-finetuning or RUN/refinement, with @STEP for another than the newest';
    throw new CommandError(`--from ${text}: expected ${expected}.`, exitCodes.usage);
  }
  return { run: named.run, stage, step: named.step };
}

/** Looks whether it can be done, and does nothing: what is wrong is reported before Temporal is asked. @throws BranchRefused */
export async function refuseUnfitBranch(
  from: BranchPoint,
  run: string,
  configuration: RunConfiguration,
): Promise<void> {
  const store = await storeOfFitting(from, configuration);
  await checkBranch({ store, from, run, training: configuration.training });
}

/** Gives a new run another one's checkpoint, and says what it does. @throws BranchRefused */
export async function branch(from: BranchPoint, run: string, configuration: RunConfiguration): Promise<void> {
  const store = await storeOfFitting(from, configuration);
  const report = (line: string): void => print(line);
  const { step, stage } = await branchRun({ store, from, run, training: configuration.training, report });
  report(`${run} goes on from step ${step} of ${from.run} (${stage}).`);
}

async function storeOfFitting(from: BranchPoint, configuration: RunConfiguration): Promise<ObjectStore> {
  useLocalObjectStore();
  const store = openStore(configuration.storage);
  const before = await storedConfiguration(store, from.run);
  if (before !== null) refuseOtherNetworks(from, before.model, configuration.model);
  return store;
}
