import type { RunConfiguration } from '../configs/schema/run.js';
import { openStore } from '../storage/openStore.js';
import { branchRun, refuseOtherNetworks, type BranchPoint } from '../training/branchRun.js';
import { useLocalObjectStore } from './connection.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { storedConfiguration } from './publishedCheckpoints.js';

/** Reads `RUN/STAGE` or `RUN/STAGE@STEP`. @throws CommandError */
export function parseBranchPoint(text: string): BranchPoint {
  const named =
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,99})\/(coarse|coarse-pretraining|coarse-finetuning|refinement)(?:@(\d+))?$/.exec(
      text,
    );
  if (!named) {
    const expected =
      'RUN/coarse, RUN/coarse-pretraining, RUN/coarse-finetuning or RUN/refinement, with @STEP for another than the newest';
    throw new CommandError(`--from ${text}: expected ${expected}.`, exitCodes.usage);
  }
  return {
    run: named[1]!,
    stage: named[2] as BranchPoint['stage'],
    step: named[3] === undefined ? null : Number(named[3]),
  };
}

/** Gives a new run another one's checkpoint, and tells what it does. @throws BranchRefused */
export async function branch(from: BranchPoint, run: string, configuration: RunConfiguration): Promise<void> {
  useLocalObjectStore();
  const store = openStore(configuration.storage);
  const before = await storedConfiguration(store, from.run);
  if (before !== null) refuseOtherNetworks(from, before.model, configuration.model);
  const report = (line: string): void => void process.stdout.write(`${line}\n`);
  const { step, stage } = await branchRun({ store, from, run, report });
  report(`${run} goes on from step ${step} of ${from.run} (${stage}).`);
}
