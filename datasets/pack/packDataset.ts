import { createHash } from 'node:crypto';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import type { TransferProgress } from '../fetch/progress.js';
import { layoutHints } from '../discover/layoutHints.js';
import { writeDatasetIndex } from '../indexFile.js';
import { frameName } from '../layout.js';
import type { DatasetIndex, FrameId, IndexedFrame, Split } from '../types.js';
import { pathsOf, readDatasetFiles, splits, type Lists, type PackLayout } from './datasetFiles.js';
import { DatasetUnusable, TooManyUnusableFrames } from './errors.js';
import { FrameReaders } from './frameReaders.js';
import { packSequence, store as storeObject, type FrameProblem, type PackedSequence } from './packSequence.js';
import { findSequenceFiles } from './sequenceFiles.js';
import { checkSampledWorlds } from './sampledWorlds.js';
import { findPart, objectsOf, partKey, writePart } from './sequencePart.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** What packing needs to know of a data set: the part of a run's configuration, or of what was fetched by itself. */
export interface PackConfiguration extends Pick<
  DatasetConfiguration,
  'name' | 'imageExtension' | 'storedResizeFactor' | 'unusableFrames' | 'worldChecks'
> {
  readonly layout: PackLayout;
}

export interface PackDatasetOptions {
  readonly store: ObjectStore;
  readonly configuration: PackConfiguration;
  /** The folder in FaMoS layout: the extracted data, or the source folder. */
  readonly directory: string;
  /** Nothing is stored but the index, template and masks: the frames stay where they are. */
  readonly inPlace?: boolean;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
}

const sequencesAtOnce = 3;
const framesAtOnce = 4;
/** Of unusable frames, in error messages. */
const mostNamed = 5;

interface Unit {
  readonly split: Split;
  readonly ids: readonly FrameId[];
}

/**
 * Packs a folder in FaMoS layout into the object store, below `keys.dataset(name)`:
 * `images/S/Q/N.tar` (the views as they are, with their calibrations), `scans/S/Q/Q.N.npy`,
 * `registrations/S/Q/Q.N.ply`, `calibrations/S/Q/C.tka`, `template.obj`, `vertex_masks.npz`; `unusable.json`, the report;
 * and last `dataset.json`. Every file is checked.
 * In place, all files are read and checked, and what the index says of them is what packing would have stored.
 * Interrupted, it goes on with the sequences that are not packed yet, on another worker too.
 *
 * @returns the index that was published.
 * @throws DatasetUnusable, TooManyUnusableFrames (the report is in the store then, the index is not)
 */
export async function packDataset(options: PackDatasetOptions): Promise<DatasetIndex> {
  const { store, configuration, directory, inPlace = false, onProgress, signal } = options;
  const { name, layout, imageExtension, storedResizeFactor } = configuration;
  const prefix = keys.dataset(name);
  const { lists, template, templateMesh, vertexMasks, vertexCount } = await readDatasetFiles(directory, layout);

  const totalFiles = splits.reduce((sum, split) => sum + lists[split].length, 0);
  let doneFiles = 0;
  let doneBytes = 0;
  const report = (current: string) => onProgress?.({ doneBytes, totalBytes: null, doneFiles, totalFiles, current });
  await checkSampledWorlds({ directory, configuration, lists, template: templateMesh, onFrame: report, signal });
  report('looking for what is packed');
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(`${prefix}/`)) {
    sizes.set(key.slice(prefix.length + 1), size);
    if (sizes.size % 1000 === 0) report('looking for what is packed');
  }
  const put = async (key: string, bytes: Uint8Array, sha256: string): Promise<void> => {
    await store.put(`${prefix}/${key}`, bytes, { sha256, ...(signal ? { signal } : {}) });
    doneBytes += bytes.length;
  };

  const putFrames: typeof put = async (key, bytes, sha256) => {
    if (!inPlace) await put(key, bytes, sha256);
  };

  const units = splits.flatMap((split) => bySequence(lists[split]).map((ids): Unit => ({ split, ids })));
  const readers = new FrameReaders();
  const packUnit = async ({ split, ids }: Unit): Promise<PackedSequence> => {
    signal?.throwIfAborted();
    const paths = pathsOf(directory, layout[split]!);
    const files = await findSequenceFiles(paths, ids, imageExtension);
    const key = partKey(split, files.subject, files.sequence);
    const identity = [files.fingerprint, vertexCount, paths.registrations !== null, ...(inPlace ? ['in place'] : [])];
    const fingerprint = sha256Of(JSON.stringify(identity));
    const there = await findPart(store, prefix, key, fingerprint, { sizes, inPlace });
    if (there) {
      doneFiles += ids.length;
      doneBytes += there.frames.flatMap(objectsOf).reduce((sum, { size }) => sum + size, 0);
      report(`${files.subject}/${files.sequence}`);
      return there;
    }
    const sequence = await packSequence({
      files,
      imageExtension,
      vertexCount,
      scansExpected: paths.scans !== null,
      registrationsExpected: paths.registrations !== null,
      atOnce: framesAtOnce,
      readers,
      put: putFrames,
      onFrame: (id) => {
        doneFiles++;
        report(frameName(id));
      },
      signal,
    });
    await putJson(put, key, writePart(fingerprint, sequence));
    return sequence;
  };
  const packAll = () => mapLimited(units, sequencesAtOnce, packUnit);
  const packed: readonly PackedSequence[] = await withCleanUp(packAll, () => readers.close());

  const all = (what: 'unusable' | 'incomplete') =>
    packed.flatMap((sequence, i) => sequence[what].map((problem) => ({ split: units[i]!.split, ...problem })));
  const framesOf = (split: Split) =>
    inOrder(
      lists[split],
      packed.filter((_, i) => units[i]!.split === split),
    );
  const [unusable, incomplete] = [all('unusable'), all('incomplete')];
  await putJson(put, 'unusable.json', { frames: totalFiles, unusable, incomplete });
  const frames = { train: framesOf('train'), validation: framesOf('validation'), test: framesOf('test') };
  const where = `${prefix}/unusable.json in ${store.description}`;
  await checkUsable(lists, frames, unusable, configuration, where, () => layoutHints(directory, configuration, lists));
  const index: DatasetIndex = {
    version: 2,
    name,
    storedResizeFactor,
    imageExtension,
    ...(inPlace ? { inPlace } : {}),
    vertexCount,
    template: template && (await storeObject(put, 'template.obj', template)),
    vertexMasks: vertexMasks && (await storeObject(put, 'vertex_masks.npz', vertexMasks)),
    splits: frames,
    unusable,
    incomplete,
  };
  const indexBytes = writeDatasetIndex(index);
  await put('dataset.json', indexBytes, sha256Of(indexBytes));
  report('dataset.json');
  return index;
}

/** Frames of each sequence, in the lists' order. */
function bySequence(ids: readonly FrameId[]): FrameId[][] {
  const sequences = new Map<string, FrameId[]>();
  for (const id of ids) {
    const key = `${id.subject}/${id.sequence}`;
    const sequence = sequences.get(key) ?? [];
    sequence.push(id);
    sequences.set(key, sequence);
  }
  return [...sequences.values()];
}

/** The packed frames in their list's order, which the steps of training depend on. */
function inOrder(list: readonly FrameId[], sequences: readonly PackedSequence[]): IndexedFrame[] {
  const frames = new Map(sequences.flatMap((sequence) => sequence.frames).map((frame) => [frameName(frame.id), frame]));
  return list.map((id) => frames.get(frameName(id))).filter((frame) => frame !== undefined);
}

async function checkUsable(
  lists: Lists,
  frames: Readonly<Record<Split, readonly IndexedFrame[]>>,
  unusable: readonly (FrameProblem & { split: Split })[],
  { layout, unusableFrames: threshold }: PackConfiguration,
  where: string,
  hints: () => Promise<readonly string[]>,
): Promise<void> {
  const total = splits.reduce((sum, split) => sum + lists[split].length, 0);
  const first = unusable.slice(0, mostNamed).map(({ split, id, reason }) => `${split} ${frameName(id)}: ${reason}`);
  const named = `${first.join('; ')}${unusable.length > mostNamed ? '; …' : ''}. All are in ${where}.`;
  const said = async (): Promise<string> => (await hints()).map((hint) => ` ${hint}`).join('');
  if (unusable.length > threshold * total) {
    throw new TooManyUnusableFrames(
      `${unusable.length} of ${total} frames are unusable; dataset.unusableFrames allows ` +
        `${Math.floor(threshold * total)} (${100 * threshold} %). ${named} Mend them, or allow more.${await said()}`,
    );
  }
  const empty = splits.find((split) => layout[split] !== null && frames[split].length === 0);
  if (empty === undefined) return;
  const why = lists[empty].length === 0 ? 'its list is empty.' : named;
  throw new DatasetUnusable(`No frame of the ${empty} split can be used: ${why}${await said()}`);
}

async function putJson(
  put: (key: string, bytes: Uint8Array, sha256: string) => Promise<void>,
  key: string,
  value: unknown,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value));
  await put(key, bytes, sha256Of(bytes));
}

function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
