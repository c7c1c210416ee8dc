import { hash } from 'node:crypto';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import type { TransferProgress } from '../fetch/progress.js';
import { layoutHints } from '../discover/layoutHints.js';
import { openIndex } from '../index/openIndex.js';
import { objectsOf, type PackedIndex } from '../index/packedIndex.js';
import { findPart, partKey, writePart, type FrameProblem } from '../index/sequencePart.js';
import { bySequence, frameName } from '../layout.js';
import { splitNames, type FrameId, type Split } from '../types.js';
import { pathsOf, readDatasetFiles, type Lists, type PackLayout } from './datasetFiles.js';
import { DatasetUnusable, TooManyUnusableFrames } from './errors.js';
import { FrameReaders } from './frameReaders.js';
import { countsOf, manifestOf, packedUnit, type PackedUnit, type Unit } from './indexManifest.js';
import { packSequence, store as storeObject } from './packSequence.js';
import { findSequenceFiles } from './sequenceFiles.js';
import { checkSampledWorlds } from './sampledWorlds.js';
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
/** Unusable frames that an error message names. */
const mostNamed = 5;

/**
 * Packs a folder in FaMoS layout into the object store, below `keys.dataset(name)`:
 * `images/S/Q/N.tar` (the views as they are, with their calibrations), `scans/S/Q/Q.N.npy`,
 * `registrations/S/Q/Q.N.ply`, `calibrations/S/Q/C.tka`, `template.obj`, `vertex_masks.npz`; `unusable.json`, the report;
 * and last `dataset.json`. Every file is checked.
 * In place, all files are read and checked, and what the index says of them is what packing would have stored.
 * Interrupted, it goes on with the sequences that are not packed yet, on another worker too.
 *
 * @returns the index that was published: its frames are in the parts.
 * @throws DatasetUnusable, TooManyUnusableFrames (the report is in the store then, the index is not)
 */
export async function packDataset(options: PackDatasetOptions): Promise<PackedIndex> {
  const { store, configuration, directory, inPlace = false, onProgress, signal } = options;
  const { name, layout, imageExtension, storedResizeFactor } = configuration;
  const prefix = keys.dataset(name);
  const { lists, template, templateMesh, vertexMasks, vertexCount } = await readDatasetFiles(directory, layout);

  const totalFiles = splitNames.reduce((sum, split) => sum + lists[split].length, 0);
  let doneFiles = 0;
  let doneBytes = 0;
  const report = (current: string) => onProgress?.({ doneBytes, totalBytes: null, doneFiles, totalFiles, current });
  await checkSampledWorlds({ directory, configuration, lists, template: templateMesh, onFrame: report, signal });
  report('looking for what is packed');
  // What is packed is looked for once. At millions of frames that is most of this worker's memory.
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

  const units = unitsOf(lists);
  const readers = new FrameReaders();
  const packUnit = async (unit: Unit): Promise<PackedUnit> => {
    signal?.throwIfAborted();
    const { split, ids } = unit;
    const paths = pathsOf(directory, layout[split]!);
    const files = await findSequenceFiles(paths, ids, imageExtension);
    const key = partKey(split, files.subject, files.sequence);
    const identity = [files.fingerprint, vertexCount, paths.registrations !== null, ...(inPlace ? ['in place'] : [])];
    const fingerprint = sha256Of(JSON.stringify(identity));
    const there = await findPart(store, prefix, key, fingerprint, { sizes, inPlace });
    if (there) {
      doneFiles += ids.length;
      doneBytes += there.sequence.frames.flatMap(objectsOf).reduce((sum, { size }) => sum + size, 0);
      report(`${files.subject}/${files.sequence}`);
      return packedUnit(unit, there.sequence, there.object);
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
    return packedUnit(unit, sequence, await storeObject(put, key, writePart(fingerprint, sequence)));
  };
  const packAll = () => mapLimited(units, sequencesAtOnce, packUnit);
  const packed: readonly PackedUnit[] = await withCleanUp(packAll, () => readers.close());

  const all = (what: 'unusable' | 'incomplete') =>
    packed.flatMap(({ split, ...unit }) => unit[what].map((problem) => ({ split, ...problem })));
  const [unusable, incomplete] = [all('unusable'), all('incomplete')];
  await putJson(put, 'unusable.json', { frames: totalFiles, unusable, incomplete });
  const frames = countsOf(packed);
  const where = `${prefix}/unusable.json in ${store.description}`;
  await checkUsable(lists, frames, unusable, configuration, where, () => layoutHints(directory, configuration, lists));
  const head: Parameters<typeof manifestOf>[0] = {
    name,
    storedResizeFactor,
    imageExtension,
    ...(inPlace ? { inPlace } : {}),
    vertexCount,
    template: template && (await storeObject(put, 'template.obj', template)),
    vertexMasks: vertexMasks && (await storeObject(put, 'vertex_masks.npz', vertexMasks)),
  };
  const manifest = await manifestOf(head, lists, packed, (key, bytes) => storeObject(put, key, bytes));
  await putJson(put, 'dataset.json', manifest);
  report('dataset.json');
  return openIndex(store, name);
}

function unitsOf(lists: Lists): Unit[] {
  const found = splitNames.flatMap((split) => bySequence(lists[split]).map((ids) => ({ split, ids })));
  const times = new Map<string, number>();
  const nameOf = ({ ids }: { readonly ids: readonly FrameId[] }) => `${ids[0]!.subject}/${ids[0]!.sequence}`;
  for (const unit of found) times.set(nameOf(unit), (times.get(nameOf(unit)) ?? 0) + 1);
  return found.map((unit) => ({ ...unit, isShared: times.get(nameOf(unit))! > 1 }));
}

async function checkUsable(
  lists: Lists,
  frames: Readonly<Record<Split, number>>,
  unusable: readonly (FrameProblem & { split: Split })[],
  { layout, unusableFrames: threshold }: PackConfiguration,
  where: string,
  hints: () => Promise<readonly string[]>,
): Promise<void> {
  const total = splitNames.reduce((sum, split) => sum + lists[split].length, 0);
  const first = unusable.slice(0, mostNamed).map(({ split, id, reason }) => `${split} ${frameName(id)}: ${reason}`);
  const named = `${first.join('; ')}${unusable.length > mostNamed ? '; …' : ''}. All are in ${where}.`;
  const said = async (): Promise<string> => (await hints()).map((hint) => ` ${hint}`).join('');
  if (unusable.length > threshold * total) {
    throw new TooManyUnusableFrames(
      `${unusable.length} of ${total} frames are unusable; dataset.unusableFrames allows ` +
        `${Math.floor(threshold * total)} (${100 * threshold} %). ${named} Correct them, or allow more.${await said()}`,
    );
  }
  const empty = splitNames.find((split) => layout[split] !== null && frames[split] === 0);
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
  return hash('sha256', content);
}
