import { stat, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { configurationPath, loadConfiguration } from '../../configs/load.js';
import { finetuneDefaults } from '../../configs/reading/finetuneDefaults.js';
import { parseCheckpointName } from '../../configs/runNames.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { refuseRunning } from '../../client/startWorkflow.js';
import { startRun } from '../../client/runs/runs.js';
import { openStore } from '../../storage/openStore.js';
import {
  startingModelOfFile,
  startingModelsOfRun,
  writeStartingModels,
  type StartingModel,
} from '../../training/published/startingModels.js';
import { useLocalObjectStore, withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { newestCheckpoint } from '../predict/models.js';
import { modelsTold } from '../store/modelsTold.js';
import { refusePlaceholders } from '../store/placeholders.js';
import { print } from '../terminal/print.js';
import { findRunFiles, storeRunFiles } from './runFiles.js';
import { runName } from './start.js';
import { startingAlone } from './startingAlone.js';
import { started } from './watching/started.js';

export interface FinetuneOptions extends ConnectionOptions {
  readonly config: string;
  readonly set: readonly string[];
  /** `.pth` files, published runs' folders, or `RUN[/STAGE][@STEP]`. */
  readonly fromCheckpoint: readonly string[];
  readonly run: string | undefined;
  readonly follow: boolean;
}

/** Trains a model that is trained already on other data: both stages, at lower rates. @returns the exit code. */
export async function finetune(options: FinetuneOptions): Promise<number> {
  const { config, set } = options;
  if (options.run !== undefined) requireRunName(options.run, '--run');
  // Whether a refinement model is among them decides what its stage is to do.
  const given = await Promise.all(options.fromCheckpoint.map(sourceOf));
  const path = configurationPath(config);
  const text = await readFile(path, 'utf8').catch(() => '');
  const first = await loadConfiguration(config, [...finetuneDefaults(text, path, false), ...set]);
  refusePlaceholders(first, config);
  const models = (await modelsTold(Promise.all(given.map((source) => modelsOf(source, first))))).flat();
  refuseUnfit(models);
  const isRefined = models.some(({ stage }) => stage === 'refinement');
  const defaults = finetuneDefaults(text, path, isRefined);
  const configuration = await loadConfiguration(config, [...defaults, ...set], () => undefined);
  const onNote = (note: string): void => void process.stderr.write(`note: ${note}\n`);
  const files = await findRunFiles(configuration, { what: 'full-training', run: null, isBranch: true, onNote });
  const run = options.run ?? runName(configuration.dataset.name, new Date());
  await refuseBegun(run, configuration);
  return withTemporal(options, async (connected) => {
    const workflowId = await startingAlone(configuration, [run], async () => {
      await refuseRunning(connected.client, run);
      await writeStartingModels(models, { store: openStore(configuration.storage), run, configuration });
      for (const { stage, from } of models) print(`  ${stage} model: starts from ${from}`);
      await storeRunFiles(files, run, configuration);
      return startRun(connected.client, { run, configuration });
    });
    return started(connected, run, { workflowId, follow: options.follow });
  });
}

/** If a run of that name has begun, the store would say so only after Temporal was asked, and as of an import. */
async function refuseBegun(run: string, configuration: RunConfiguration): Promise<void> {
  useLocalObjectStore();
  const store = openStore(configuration.storage);
  for (const stage of ['coarse', 'refinement'] as const) {
    const manifest = await readManifest(store, run, stage);
    if (!manifest || manifest.checkpoints.length === 0) continue;
    const found = `found a ${stage} checkpoint of it in ${store.description}`;
    const todo = `tempeh-flow resume ${run} goes on with it, another name begins anew`;
    throw new CommandError(`--run ${run}: expected a run that has not begun, ${found}; ${todo}.`, exitCodes.usage);
  }
}

type Source =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'run';
      readonly run: string;
      readonly stage: 'coarse' | 'refinement' | null;
      readonly step: number | null;
    };

async function sourceOf(given: string): Promise<Source> {
  const path = resolve(given);
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return { kind: 'file', path: await newestCheckpoint(path) };
  if (found?.isFile()) return { kind: 'file', path };
  const named = parseCheckpointName(given);
  const stage = named?.stage ?? null;
  if (named !== null && (stage === null || stage === 'coarse' || stage === 'refinement')) {
    return { kind: 'run', run: named.run, stage, step: named.step };
  }
  const expected = 'a published checkpoint (.pth), a published run’s folder, or RUN[/coarse|/refinement][@STEP]';
  throw new CommandError(
    `--from-checkpoint ${given}: there is no such file or folder; expected ${expected}.`,
    exitCodes.usage,
  );
}

async function modelsOf(source: Source, configuration: RunConfiguration): Promise<StartingModel[]> {
  if (source.kind === 'file') return [await startingModelOfFile(source.path, configuration)];
  useLocalObjectStore();
  return startingModelsOfRun(openStore(configuration.storage), source, configuration);
}

function refuseUnfit(models: readonly StartingModel[]): void {
  for (const stage of ['coarse', 'refinement'] as const) {
    const found = models.filter((model) => model.stage === stage).map(({ from }) => from);
    if (found.length > 1) {
      throw new CommandError(
        `--from-checkpoint: two ${stage} models (${found.join(', ')}): name one.`,
        exitCodes.usage,
      );
    }
    if (found.length === 0 && stage === 'coarse') {
      throw new CommandError(
        '--from-checkpoint: a refinement model alone; name the coarse model, too (--from-checkpoint COARSE --from-checkpoint REFINEMENT).',
        exitCodes.usage,
      );
    }
  }
}
