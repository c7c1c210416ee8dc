import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveConfiguration } from '../../configs/load.js';
import { parseCheckpointName } from '../../configs/runNames.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { listed } from '../../datasets/formats/formatError.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { exportPublished } from '../../training/published/exportPublished.js';
import { importPublished } from '../../training/published/importPublished.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { outputFile, outputFolder } from '../outputs.js';
import { requireRunName } from '../runName.js';
import { configurationOfRun } from './ofRun.js';
import { loadWithStore } from './placeholders.js';
import type { StoreOptions } from '../storeOptions.js';
import { print, tell } from '../terminal/print.js';

export interface ImportCheckpointOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly file: string;
  readonly run: string;
  readonly stage: 'coarse' | 'refinement' | undefined;
  readonly step: number | undefined;
  readonly final: boolean;
}

/** Reads a `.pth` into a run, and says what may follow. @returns the exit code. */
export async function importCheckpoint(options: ImportCheckpointOptions): Promise<number> {
  const { file, run, stage = null, step = null, final } = options;
  requireRunName(run, '--run');
  if (step !== null && !(Number.isSafeInteger(step) && step >= 0)) {
    throw new CommandError(`--step ${step}: expected a whole number of steps, 0 or more.`, exitCodes.usage);
  }
  await needFile(file);
  const configuration = await loadWithStore(options.config, options.set);
  const store = openStore(configuration.storage);
  const imported = await importPublished({ store, run, configuration, file, stage, step, final });
  const { unused } = imported;
  if (unused.length > 0) print(`${file} holds other things, too, which are not used: ${listed(unused)}.`);
  if (imported.kind === 'trunk') {
    print(`${file}: ${imported.tensors} tensors of a ResNet trunk, with which coarse training of ${run} will start.`);
    print(`  ${imported.key} in ${store.description}`);
    return exitCodes.ok;
  }
  const { checkpoint, finished, hasOptimizer } = imported;
  tell({ run, stage: imported.stage, step: checkpoint.step, key: checkpoint.key });
  print(`${file} is now the ${imported.kind} checkpoint of step ${checkpoint.step} of ${run}.`);
  print(`  ${checkpoint.key} in ${store.description}`);
  if (!hasOptimizer) print('  It has no optimizer_model: the optimiser starts afresh.');
  print(finished.length > 0 ? `  Done with it: ${finished.join(', ')}` : `  ${imported.stage} goes on from it.`);
  return exitCodes.ok;
}

export interface ExportCheckpointOptions extends StoreOptions {
  readonly checkpoint: string;
  readonly file: string;
}

/** Writes a checkpoint of a run as a `.pth`. @returns the exit code. */
export async function exportCheckpoint(options: ExportCheckpointOptions): Promise<number> {
  const named = parseCheckpointName(options.checkpoint);
  if (named?.stage !== 'coarse' && named?.stage !== 'refinement') {
    const expected = 'RUN/coarse or RUN/refinement, with @STEP for another than the newest';
    throw new CommandError(`${options.checkpoint}: expected ${expected}.`, exitCodes.usage);
  }
  const { run, stage } = named;
  const configuration = await configurationOfRun(run, options);
  const store = openStore(configuration.storage);
  const own = (await storedConfiguration(store, run)) ?? configuration;
  refuseUnpublished(stage, own);
  const isFolder = (await stat(options.file).catch(() => null))?.isDirectory() ?? false;
  await (isFolder ? outputFolder('FILE', options.file) : outputFile('FILE', options.file));
  const { step, file } = await exportPublished({
    store,
    run,
    stage,
    step: named.step,
    configuration: own,
    fileFor: (at) => (isFolder ? join(options.file, `model_${String(at).padStart(8, '0')}.pth`) : options.file),
  });
  tell({ run, stage, step, file });
  print(`${file}: step ${step} of ${options.checkpoint.split('@')[0]}, for torch.load.`);
  return exitCodes.ok;
}

/** @throws CommandError for a network of an ablation, whose weights would mean something else to the published system. */
function refuseUnpublished(stage: 'coarse' | 'refinement', { model }: RunConfiguration): void {
  const { localiser } = model.coarse;
  const { fusion } = model.refinement;
  const found =
    stage === 'coarse' && !localiser.enabled
      ? 'model.coarse.localiser.enabled is false'
      : stage === 'refinement' && fusion !== 'surface-aware'
        ? `model.refinement.fusion is ${fusion}`
        : null;
  if (found === null) return;
  throw new CommandError(`${found}, and the published system has no such ${stage} model: it cannot be exported.`);
}

/** The networks are those that the run was configured with, whatever the command line says. */
export async function storedConfiguration(store: ObjectStore, run: string): Promise<RunConfiguration | null> {
  const key = keys.runConfiguration(run);
  try {
    return resolveConfiguration(Buffer.from((await store.get(key)).body).toString('utf8'), key);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
}

async function needFile(file: string): Promise<void> {
  const information = await stat(file).catch(() => null);
  if (information?.isFile()) return;
  throw new CommandError(`${file}: ${information ? 'is no file' : 'there is no such file'}.`, exitCodes.usage);
}
