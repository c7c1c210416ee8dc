import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { parseObj } from '../../datasets/formats/meshes/obj.js';
import { textOf } from '../../datasets/formats/text.js';
import { meshInMillimetres } from '../../datasets/reader/meshes.js';
import { readTemplate } from '../../datasets/reader/readTemplate.js';
import { openIndex } from '../../datasets/index/openIndex.js';
import { headFilesOf } from '../../datasets/reader/storeSource.js';
import type { FrameId } from '../../datasets/types.js';
import { viewChoiceOf } from '../../datasets/views.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { keys } from '../../storage/keys.js';
import { loadStore } from '../../storage/loadStore.js';
import { fingerprintOf } from './loadModel.js';
import { FoldersUnsuitable, type FolderPredictionJob } from './job.js';
import { listSha256 } from './list.js';
import { OutputFolder, type PredictionOrigin } from './outputFolder.js';

/** What a job's paths lead to. */
export interface OpenedJob {
  readonly frames: readonly FrameId[];
  readonly template: Mesh;
  /** null: not written. */
  readonly outputs: { readonly coarse: OutputFolder | null; readonly refinement: OutputFolder | null };
}

/**
 * Looks at everything that a job names, on this machine, before a model is loaded.
 *
 * @throws FoldersUnsuitable naming what this machine does not see; FormatError of list or template
 */
export async function openJob(job: FolderPredictionJob): Promise<OpenedJob> {
  await requireFolders(job);
  const [frames, template] = await Promise.all([readFrames(job), openTemplate(job)]);
  const { outputs, overwrite } = job;
  const open = async (stage: 'coarse' | 'refinement'): Promise<OutputFolder | null> => {
    const path = outputs[stage];
    return path === null ? null : OutputFolder.open(path, template.faces, await originOf(job, stage), overwrite);
  };
  return { frames, template, outputs: { coarse: await open('coarse'), refinement: await open('refinement') } };
}

async function requireFolders({ images, calibrations, coarsePredictions, models }: FolderPredictionJob): Promise<void> {
  const folders = [images, calibrations, ...(coarsePredictions === null ? [] : [coarsePredictions])];
  const files = Object.values(models).flatMap((model) => (model?.kind === 'file' ? [model.path] : []));
  for (const path of [...folders, ...files]) {
    const information = await stat(path).catch(() => null);
    if (files.includes(path) ? information?.isFile() : information?.isDirectory()) continue;
    throw new FoldersUnsuitable(notSeen(path, files.includes(path) ? 'file' : 'folder'));
  }
}

/** Here or on a worker: a person has to see which machine it is that lacks something. */
function notSeen(path: string, what: 'file' | 'folder'): string {
  return `${path}: ${hostname()} sees no such ${what}. Every machine that predicts needs it under this path (a shared file system).`;
}

async function readFrames({ list }: FolderPredictionJob): Promise<FrameId[]> {
  const text = await readFile(list.path, 'utf8').catch((cause: unknown) => {
    throw new FoldersUnsuitable(notSeen(list.path, 'file'), { cause });
  });
  if (listSha256(text) !== list.sha256) {
    throw new FoldersUnsuitable(
      `${list.path} on ${hostname()} is not the list that the prediction was started with: it was changed, or is another file there.`,
    );
  }
  return parseDataList(text, list.path).slice(list.from, list.to);
}

async function openTemplate({ template, configuration }: FolderPredictionJob): Promise<Mesh> {
  if (template.kind === 'file') {
    if (!(await stat(template.path).catch(() => null))?.isFile()) {
      throw new FoldersUnsuitable(notSeen(template.path, 'file'));
    }
    return readTemplate(template.path);
  }
  const store = await loadStore(configuration.storage);
  const index = await openIndex(store, template.name);
  const key = `${keys.dataset(template.name)}/${headFilesOf(index, store).template.key}`;
  return meshInMillimetres(parseObj(textOf((await store.get(key)).body, key), key));
}

async function originOf(job: FolderPredictionJob, stage: 'coarse' | 'refinement'): Promise<PredictionOrigin> {
  const { stages, configuration } = job;
  const { training } = configuration;
  const factors = {
    coarse: training['coarse-finetuning'].imageResizeFactor,
    refinement: training.refinement.imageResizeFactor,
  };
  // What refinement starts from is part of its prediction's origin, where this job makes it.
  const through = stage === 'coarse' || stages === 'refinement' ? [stage] : (['coarse', 'refinement'] as const);
  return {
    stages: through.join(' and '),
    models: await Promise.all(through.map((model) => fingerprintOf(job, model))),
    imageResizeFactors: through.map((model) => factors[model]),
    ...viewChoiceOf(configuration),
  };
}
