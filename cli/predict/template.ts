import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { readTemplate } from '../../datasets/reader/readTemplate.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import type { TemplateReference } from '../../inference/folders/job.js';
import { openStore } from '../../storage/openStore.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import type { FoundModel } from './models.js';

const namesInFolder = [
  'template.obj',
  'template.ply',
  'sampling_template.obj',
  'sampling_template.ply',
  'mesh_sampler.npz',
];

/**
 * The topology of the models: as the command line names it; of a run in the store its data set's; else what lies in the
 * published runs' folders, or where their configurations say.
 *
 * @param templates as the published configurations name them, relative to the working folder.
 * @throws CommandError naming where it was looked for.
 */
export async function findTemplate(
  given: string | undefined,
  models: readonly (FoundModel | null)[],
  templates: readonly string[],
  configuration: RunConfiguration,
): Promise<TemplateReference> {
  if (given !== undefined) return { kind: 'file', path: resolve(given) };
  const looked: string[] = [];
  if (models.some((model) => model?.reference.kind === 'run')) {
    const { name } = configuration.dataset;
    if (await isPacked(configuration)) return { kind: 'dataset', name };
    looked.push(`data set ${name} in the object store`);
  }
  const folders = [...new Set(models.flatMap((model) => model?.folder ?? []))];
  const candidates = [
    ...folders.flatMap((folder) => namesInFolder.map((name) => join(folder, name))),
    ...templates.map((path) => resolve(path)),
  ];
  for (const path of candidates) {
    if (!(await stat(path).catch(() => null))?.isFile()) continue;
    try {
      await readTemplate(path);
      return { kind: 'file', path };
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause;
      looked.push(`${path} (expected ${cause.expected}, found ${cause.found})`);
    }
  }
  looked.push(...folders.map((folder) => `${folder} (${namesInFolder.map((name) => basename(name)).join(', ')})`));
  looked.push(...templates.map((path) => resolve(path)));
  throw new CommandError(
    'The topology is not known: a checkpoint holds none. Name a mesh of it with --template FILE (.obj, .ply or .npz: the ' +
      `published head template, or any registration). Looked for: ${[...new Set(looked)].join('; ')}.`,
    exitCodes.usage,
  );
}

async function isPacked({ storage, dataset }: RunConfiguration): Promise<boolean> {
  return (await findIndex(openStore(storage), dataset.name)) !== null;
}
