import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { isTrunkTensor } from '../../model/parameters/parameterLayout.js';
import { readPart } from '../../checkpoints/reading/readCheckpoint.js';
import { encodeModel, decodeModel } from '../../checkpoints/reading/trainingState.js';
import type { NamedArray } from '../../checkpoints/safetensors.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
import type { ObjectStore } from '../../storage/types.js';
import { PublishedCheckpointMismatch } from './errors.js';
import { findCheckpoint } from './exportPublished.js';
import { layoutsFor, layoutsOf } from './layouts.js';
import { readPublishedFile } from './readPublished.js';
import { fromStateDict } from './stateDict.js';
import { fromResnet } from './trunk.js';

/** torchvision's ResNet-34 that was trained on ImageNet (IMAGENET1K_V1); its name has the first digits of its SHA-256. */
export const imagenetTrunk = {
  name: 'resnet34-b627a593.pth',
  sha256: 'b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f',
} as const;

/**
 * Refuses a file of weights that is damaged: torchvision's files have the first eight digits of their SHA-256 in their names.
 *
 * @returns a note on what could not be checked; null where its SHA-256 is as its name says.
 * @throws FormatError
 */
export async function checkNamedHash(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const sha256 = hash.digest('hex');
  const digits = /-([0-9a-f]{8})\.pth$/.exec(basename(path))?.[1];
  if (sha256 === imagenetTrunk.sha256) return null;
  if (digits === undefined) return `${path} has no digits of a SHA-256 in its name, so its content was not checked.`;
  const expected = basename(path) === imagenetTrunk.name ? imagenetTrunk.sha256 : digits;
  if (sha256.startsWith(expected)) return null;
  throw new FormatError({
    file: path,
    expected: `content with the SHA-256 ${expected}${expected === digits ? '…, as its name says' : ''}`,
    found: `${sha256}: it is damaged, or another file; fetch it again`,
  });
}

/**
 * The trunk of a file, as it is stored with a run: torchvision's ResNet-34, or what a published checkpoint has.
 *
 * @throws FormatError, PublishedCheckpointMismatch
 */
export async function trunkOfFile(file: string, { model }: Pick<RunConfiguration, 'model'>): Promise<Uint8Array> {
  const { kind, states } = await readPublishedFile(file, 'model');
  const problems: string[] = [];
  const layouts = layoutsFor(kind === 'refinement' ? 'refinement' : 'coarse', model, states);
  const arrays = kind === 'trunk' ? fromResnet(layouts, states, problems) : fromStateDict(layouts, states, problems);
  if (problems.length > 0) throw new PublishedCheckpointMismatch(file, problems);
  return encodeTrunk(arrays);
}

/**
 * The trunk of a run's checkpoint, for another run to start with.
 *
 * @param step null: the newest.
 * @throws CheckpointNotFound, DamagedCheckpoint; CheckpointMismatch where its networks have another trunk.
 */
export async function trunkOfRun(
  store: ObjectStore,
  from: { readonly run: string; readonly stage: 'coarse' | 'refinement'; readonly step: number | null },
  { model }: Pick<RunConfiguration, 'model'>,
): Promise<Uint8Array> {
  const checkpoint = await findCheckpoint({ store, ...from });
  const name = `${checkpoint.key}/model.safetensors`;
  const arrays = decodeModel(await readPart(store, checkpoint, 'model.safetensors'), name);
  const wanted = layoutsOf(from.stage, model, arrays).filter((layout) => isTrunkTensor(layout.name));
  return encodeTrunk(
    Object.fromEntries(wanted.map((layout) => [layout.name, fitting(arrays, layout.name, layout.shape, name)])),
  );
}

function encodeTrunk(arrays: Readonly<Record<string, NamedArray>>): Uint8Array {
  return encodeModel(Object.fromEntries(Object.entries(arrays).filter(([name]) => isTrunkTensor(name))));
}
