import { join } from 'node:path';
import type { HeadFile } from '../../configs/schema/dataset.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { headFileNames, headFileTitles, parseHead, type HeadFileName } from '../../datasets/headFiles.js';
import type { PackLayout } from '../../datasets/pack/datasetFiles.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import { keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { userFault } from '../failures.js';
import type { PrepareRunInput } from '../types.js';

/** The key of a file of the head that lies in the run's store; null for one on a disk. */
function keyOf(run: string, which: HeadFileName, reference: HeadFile | null): string | null {
  if (reference === null || typeof reference === 'string') return null;
  return 'file' in reference ? keys.headFile(run, which) : reference.object;
}

/**
 * Refuses a run whose files (trunk, head template, vertex masks) are not in its store, or cannot be used, as far as the
 * steps that are asked for need them.
 *
 * @throws ConfigurationInvalid, DataUnusable
 */
export async function refuseMissing(store: ObjectStore, input: PrepareRunInput): Promise<void> {
  const { steps } = input;
  if (steps === undefined || steps.includes('coarse-pretraining')) await refuseWithoutTrunk(store, input);
  if (steps === undefined || steps.includes('dataset')) await refuseWithoutHead(store, input);
}

async function refuseWithoutTrunk(store: ObjectStore, { run, configuration }: PrepareRunInput): Promise<void> {
  const { kind } = configuration.model.coarse.trunk;
  if (kind === 'random') return;
  if ((await store.head(keys.trunk(run))) !== null) return;
  if (((await readManifest(store, run, 'coarse'))?.checkpoints.length ?? 0) > 0) return;
  throw userFault(
    'ConfigurationInvalid',
    `model.coarse.trunk.kind is ${kind}, but the run's trunk (${keys.trunk(run)}) is not in ${store.description}. ` +
      'tempeh-flow start uploads it: start the run where the file is. Nothing was fetched.',
  );
}

async function refuseWithoutHead(store: ObjectStore, { run, configuration }: PrepareRunInput): Promise<void> {
  const { dataset } = configuration;
  const keysOfHead = headFileNames.map((which) => keyOf(run, which, dataset.layout[which]));
  if (keysOfHead.every((key) => key === null)) return;
  if ((await findIndex(store, dataset.name)) !== null) return;
  const found: { bytes: Uint8Array; file: string }[] = [];
  // One after the other: of two that are missing it is always the first that is reported.
  for (const [i, which] of headFileNames.entries()) {
    const key = keysOfHead[i] ?? null;
    if (key !== null) found.push({ bytes: await headObject(store, which, key), file: key });
  }
  const [template, masks] = found;
  if (!template || !masks) return;
  try {
    parseHead(template, masks);
  } catch (cause) {
    throw cause instanceof FormatError ? userFault('DataUnusable', cause.message, cause) : cause;
  }
}

async function headObject(store: ObjectStore, which: HeadFileName, key: string): Promise<Uint8Array> {
  try {
    return (await store.get(key)).body;
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    throw userFault(
      'ConfigurationInvalid',
      `There is no ${key} in ${store.description}, ${headFileTitles[which]}. tempeh-flow start uploads what the setting ` +
        'names as {file: PATH}: start the run where the file is. Nothing was fetched.',
    );
  }
}

/** A layout whose files of the head lie on this disk: those of the run's store are brought into a folder. */
export async function withLocalHead<Layout extends PackLayout>(
  store: ObjectStore,
  run: string,
  layout: Layout,
  folder: () => string,
): Promise<Layout> {
  const local: Partial<Record<HeadFileName, HeadFile>> = {};
  for (const which of headFileNames) {
    const key = keyOf(run, which, layout[which]);
    if (key === null) continue;
    const file = join(folder(), 'head', which === 'template' ? 'template.obj' : 'vertex_masks.npz');
    await store.download(key, file);
    local[which] = { file };
  }
  return { ...layout, ...local };
}
