import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDataList } from '../../datasets/formats/dataList.js';
import type { FrameId } from '../../datasets/types.js';
import type { FolderPredictionJob, FolderStages } from '../../inference/folders/job.js';
import { listSha256 } from '../../inference/folders/list.js';
import type { Precision } from '../../configs/schema/run.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { folderOf, requireCameras } from './folders.js';
import { configurationFor, findModel, type ConfigurationOptions } from './models.js';
import { findTemplate } from './template.js';

/** The options of `predict coarse|refinement|both`, under our names. */
export interface PredictOptions extends ConfigurationOptions {
  readonly coarseModel: string | undefined;
  readonly refinementModel: string | undefined;
  readonly coarsePredictions: string | undefined;
  readonly list: string;
  readonly images: string;
  readonly calibrations: string;
  readonly out: string;
  readonly coarseOut: string | undefined;
  readonly template: string | undefined;
  readonly strict: boolean;
  readonly overwrite: boolean;
  readonly precision: Precision | undefined;
}

/**
 * The job that a command line describes: models, configuration and template found, the list read.
 *
 * @returns the job, and what a person should know: folders that were found below the named ones, and what of the published
 * configurations was not understood.
 * @throws CommandError (exit code 2), ConfigurationError
 */
export async function jobOf(
  stages: FolderStages,
  options: PredictOptions,
): Promise<{ readonly job: FolderPredictionJob; readonly notes: readonly string[] }> {
  const models = {
    coarse: options.coarseModel === undefined ? null : await findModel(options.coarseModel, 'coarse'),
    refinement: options.refinementModel === undefined ? null : await findModel(options.refinementModel, 'refinement'),
  };
  const found = [models.coarse, models.refinement];
  const { configuration, templates, notes } = await configurationFor(models, options);
  const template = await findTemplate(options.template, found, templates, configuration);
  const out = resolve(options.out);
  const coarseOut = options.coarseOut === undefined ? null : resolve(options.coarseOut);
  if (out === coarseOut) {
    throw new CommandError(
      '--out and --coarse-out are the same folder: their files have the same names.',
      exitCodes.usage,
    );
  }
  const { list, ids } = await readList(resolve(options.list));
  const places: string[] = [];
  const onNote = (note: string): void => void places.push(note);
  const images = await folderOf('images', options.images, ids, onNote);
  const calibrations = await folderOf('calibrations', options.calibrations, ids, onNote);
  const { imageExtension } = configuration.dataset;
  await requireCameras({ images, calibrations, imageExtension }, ids, configuration);
  const job: FolderPredictionJob = {
    stages,
    configuration: { ...configuration, precision: options.precision ?? configuration.precision },
    models: { coarse: models.coarse?.reference ?? null, refinement: models.refinement?.reference ?? null },
    template,
    list,
    images,
    calibrations,
    coarsePredictions: options.coarsePredictions === undefined ? null : resolve(options.coarsePredictions),
    outputs: stages === 'coarse' ? { coarse: out, refinement: null } : { coarse: coarseOut, refinement: out },
    strict: options.strict,
    overwrite: options.overwrite,
  };
  return { job, notes: [...places, ...notes] };
}

async function readList(
  path: string,
): Promise<{ readonly list: FolderPredictionJob['list']; readonly ids: readonly FrameId[] }> {
  if (!(await stat(path).catch(() => null))?.isFile()) {
    throw new CommandError(`--list ${path}: there is no such file.`, exitCodes.usage);
  }
  const text = await readFile(path, 'utf8');
  const ids = parseDataList(text, path);
  return { list: { path, sha256: listSha256(text), from: 0, to: ids.length }, ids };
}
