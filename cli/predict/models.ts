import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { loadConfiguration } from '../../configs/load.js';
import { predictionConfiguration, type PredictionConfiguration } from '../../configs/published/publishedModel.js';
import { parseCheckpointName } from '../../configs/runNames.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { isJunk } from '../../datasets/discover/junk.js';
import type { ModelReference } from '../../inference/folders/job.js';
import { openStore } from '../../storage/openStore.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import type { StoreOptions } from '../storeOptions.js';
import { knownConfiguration } from '../store/ofRun.js';
import { lacksBucket, withLocalStore } from '../store/placeholders.js';
import { storedConfiguration } from '../store/publishedCheckpoints.js';

export type ModelStage = 'coarse' | 'refinement';

/** A model of the command line, found. */
export interface FoundModel {
  readonly reference: ModelReference;
  /** The `config.json` of a published run; null where there is none. */
  readonly config: string | null;
  /** The folder of a published run, where a template may lie. */
  readonly folder: string | null;
}

/**
 * What a model of the command line means: a published run's folder (its newest checkpoint), a `.pth`, or a run in the
 * object store, `RUN[/STAGE][@STEP]`.
 *
 * @throws CommandError when it is none of these.
 */
export async function findModel(given: string, stage: ModelStage): Promise<FoundModel> {
  const path = resolve(given);
  const information = await stat(path).catch(() => null);
  if (information?.isDirectory()) {
    const checkpoint = await newestCheckpoint(path);
    const folders = [path, dirname(path), dirname(checkpoint), dirname(dirname(checkpoint))];
    return { reference: { kind: 'file', path: checkpoint }, ...(await surroundings([...new Set(folders)])) };
  }
  if (information?.isFile()) {
    const folders = [dirname(path), dirname(dirname(path))];
    return { reference: { kind: 'file', path }, ...(await surroundings(folders)) };
  }
  const named = parseCheckpointName(given);
  if (named === null || (named.stage !== null && named.stage !== stage)) {
    throw new CommandError(
      `--${stage}-model ${given}: there is no such file or folder; expected ${expectedModel(stage)}.`,
      exitCodes.usage,
    );
  }
  const { run, step } = named;
  return { reference: { kind: 'run', run, step }, config: null, folder: null };
}

function expectedModel(stage: ModelStage): string {
  return `a published run’s folder, a .pth, or a run of ours, RUN[/${stage}][@STEP]`;
}

/**
 * `checkpoints/model_00800000.pth` of the highest number; of files with other names the one that was written last. The folder
 * is that of a run, or one that holds a run's folder and no other.
 *
 * @throws CommandError
 */
export async function newestCheckpoint(folder: string): Promise<string> {
  const own = await checkpointIn(folder);
  if (own !== null) return own;
  const below = await Promise.all(
    (await readdir(folder, { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory() && !isJunk(entry.name))
      .map(async ({ name }) => ({ name, checkpoint: await checkpointIn(join(folder, name)) })),
  );
  const runs = below.flatMap(({ name, checkpoint }) => (checkpoint === null ? [] : [{ name, checkpoint }]));
  if (runs.length === 1) return runs[0]!.checkpoint;
  const found = runs.length === 0 ? '' : `, but several runs: name one of ${runs.map(({ name }) => name).join(', ')}`;
  throw new CommandError(
    `${folder}: there is no checkpoint (checkpoints/model_….pth) in this folder${found}.`,
    exitCodes.usage,
  );
}

async function checkpointIn(folder: string): Promise<string | null> {
  for (const candidate of [join(folder, 'checkpoints'), folder]) {
    const names = (await readdir(candidate).catch(() => [])).filter((name) => name.endsWith('.pth'));
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(candidate, name);
        const { mtimeMs } = await stat(path);
        return { path, step: Number(/_(\d+)\.pth$/.exec(name)?.[1] ?? -1), mtimeMs };
      }),
    );
    files.sort((a, b) => b.step - a.step || b.mtimeMs - a.mtimeMs);
    if (files[0] !== undefined) return files[0].path;
  }
  return null;
}

async function surroundings(folders: readonly string[]): Promise<Pick<FoundModel, 'config' | 'folder'>> {
  for (const folder of folders) {
    const config = join(folder, 'config.json');
    if ((await stat(config).catch(() => null))?.isFile()) return { config, folder };
  }
  return { config: null, folder: folders[0] ?? null };
}

export type ConfigurationOptions = StoreOptions;

/** The configuration that models are to be used with: of a run in the store its own, else `--config`. */
export async function configurationFor(
  models: Readonly<Record<ModelStage, FoundModel | null>>,
  options: ConfigurationOptions,
): Promise<PredictionConfiguration> {
  const { config = 'famos', set } = options;
  const file = await fileFor(models, options);
  const [coarse, refinement] = await Promise.all([
    ofRun(models.coarse, 'coarse', file, config),
    ofRun(models.refinement, 'refinement', file, config),
  ]);
  const base = coarse ?? refinement ?? file;
  const mixed: RunConfiguration =
    coarse !== null && refinement !== null
      ? {
          ...coarse,
          model: { ...coarse.model, refinement: refinement.model.refinement },
          training: { ...coarse.training, refinement: refinement.training.refinement },
        }
      : base;
  const published = [models.coarse?.config, models.refinement?.config].filter(
    (path) => path !== null && path !== undefined,
  );
  return predictionConfiguration({ ...mixed, storage: file.storage }, [...new Set(published)], set);
}

/** What says where the store of a run is that a model is of; the networks of models that are none's. */
async function fileFor(
  models: Readonly<Record<ModelStage, FoundModel | null>>,
  options: ConfigurationOptions,
): Promise<RunConfiguration> {
  const { config, set } = options;
  const run = [models.coarse, models.refinement].flatMap((model) =>
    model?.reference.kind === 'run' ? [model.reference.run] : [],
  )[0];
  if (run === undefined) return loadConfiguration(config ?? 'famos', set);
  if (config === undefined) {
    const known = await knownConfiguration(run, options);
    if (known !== null) return known;
  }
  return withLocalStore(await loadConfiguration(config ?? 'famos', set));
}

/** null for a model that is no run's. @throws CommandError for a run that is not there, or may not be meant as one */
async function ofRun(
  model: FoundModel | null,
  stage: ModelStage,
  file: RunConfiguration,
  config: string,
): Promise<RunConfiguration | null> {
  if (model?.reference.kind !== 'run') return null;
  const { run } = model.reference;
  // A folder's name that was mistyped looks like the name of a run.
  const noFile = `--${stage}-model ${run}: there is no such file or folder here (${resolve(run)})`;
  const expected = `Expected ${expectedModel(stage)}`;
  if (lacksBucket(file)) {
    const todo = `name its store (--config FILE, or --set storage.bucket=NAME): ${config} names none`;
    throw new CommandError(`${noFile}. If it is a run in an object store, ${todo}. ${expected}.`, exitCodes.usage);
  }
  const store = openStore(file.storage);
  const stored = await storedConfiguration(store, run);
  if (stored !== null) return stored;
  throw new CommandError(`${noFile}, and no such run in ${store.description}. ${expected}.`, exitCodes.usage);
}
