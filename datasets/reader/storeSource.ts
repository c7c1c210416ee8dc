import { basename } from 'node:path';
import { ObjectNotFound, type ReadableStore } from '../../storage/types.js';
import { keys } from '../../storage/keys.js';
import { FormatError } from '../formats/formatError.js';
import { parseObj } from '../formats/meshes/obj.js';
import { textOf } from '../formats/text.js';
import { parseTka, type TkaCalibration } from '../formats/tka.js';
import type { EncodedView } from '../images/decodeView.js';
import { openIndex } from '../index/openIndex.js';
import type { IndexHead } from '../index/packedIndex.js';
import type { IndexedFrame, IndexedObject } from '../types.js';
import { readVertexRegions } from '../vertexRegions.js';
import type { ViewKind } from '../../configs/schema/viewKind.js';
import { isChosen, unknownCameras, type ViewChoice } from '../views.js';
import type { DiskCache } from '../cache/diskCache.js';
import { DatasetMissing, FrameUnreadable, ObjectDamaged } from './errors.js';
import { readFrameArchive } from './frameArchive.js';
import type { EncodedFile, FrameSource } from './frameSource.js';
import { withFilesInPlace, type DatasetPlace } from './inPlace.js';
import { meshInMillimetres } from './meshes.js';

/** Kept parsed, a kilobyte each: of a thousand sequences. */
const mostCalibrations = 16_000;

/** @throws DatasetMissing for a data set that was packed without them, to be predicted from only. */
export function headFilesOf(
  { name, template, vertexMasks }: IndexHead,
  store: ReadableStore,
): { template: IndexedObject; vertexMasks: IndexedObject } {
  if (template !== null && vertexMasks !== null) return { template, vertexMasks };
  throw new DatasetMissing(
    `The data set ${name} in ${store.description} has no head template and vertex masks: it can be predicted from, not ` +
      'trained on. Pack it with them (dataset.layout.template, dataset.layout.vertexMasks).',
  );
}

/** Of cameras that are asked for by name each has to be in some frame. @throws FormatError */
function checkCameras(index: IndexHead, choice: ViewChoice): void {
  if (!choice.cameras) return;
  const there = index.cameras;
  const unknown = unknownCameras(new Set(there), choice);
  if (unknown.length === 0) return;
  throw new FormatError({
    file: keys.datasetIndex(index.name),
    expected: `the cameras that the setting cameras names (${choice.cameras.join(', ')})`,
    found: `no ${unknown.join(', no ')}; there are ${there.join(', ')}`,
  });
}

/**
 * Frames of a packed data set, streamed from the object store through a cache on the worker's disk.
 *
 * @param choice images of other cameras are not handed out.
 * @param place the folder of frames that were not packed.
 * @throws DatasetMissing
 */
export async function openStoreSource(
  store: ReadableStore,
  name: string,
  choice: ViewKind | ViewChoice,
  cache: DiskCache,
  place: DatasetPlace | null = null,
): Promise<FrameSource> {
  const chosen: ViewChoice = typeof choice === 'string' ? { viewKind: choice } : choice;
  const prefix = keys.dataset(name);
  const index = await openIndex(store, name, (object) => cache.get(store, prefix, object));
  checkCameras(index, chosen);
  const files = withFilesInPlace(store, index, place);
  const fetch = async (object: IndexedObject): Promise<EncodedFile> => {
    const file = `${prefix}/${object.key}`;
    // What lies in a folder is not copied.
    const isHere = files !== store && object !== index.template && object !== index.vertexMasks;
    return { bytes: isHere ? (await files.get(file)).body : await cache.get(store, prefix, object), file };
  };
  const headFiles = headFilesOf(index, store);
  const templateFile = await fetch(headFiles.template);
  const template = meshInMillimetres(parseObj(textOf(templateFile.bytes, templateFile.file), templateFile.file));
  const masks = await fetch(headFiles.vertexMasks);
  const regions = readVertexRegions(masks.bytes, masks.file, template.vertices.length / 3);

  // All frames of a sequence have the same: they are parsed once.
  const calibrations = new Map<string, Promise<TkaCalibration>>();
  const readCalibration = async (object: IndexedObject, archived: EncodedFile | null): Promise<TkaCalibration> => {
    const { bytes, file } = archived ?? (await fetch(object));
    return parseTka(Buffer.from(bytes).toString('utf8'), file);
  };
  const calibrationOf = (object: IndexedObject, archived: EncodedFile | null): Promise<TkaCalibration> => {
    const known = calibrations.get(object.sha256);
    if (known) return known;
    const reading = readCalibration(object, archived);
    if (calibrations.size === mostCalibrations) calibrations.clear();
    calibrations.set(object.sha256, reading);
    // What could not be read is asked for again by the next frame.
    reading.catch(() => calibrations.delete(object.sha256));
    return reading;
  };

  const views = async (frame: IndexedFrame): Promise<EncodedView[]> => {
    const archive = await fetch(frame.images);
    const archived = readFrameArchive(archive.bytes, archive.file, frame.id);
    const wanted = frame.calibrations
      .map((object) => ({ object, name: basename(object.key, '.tka') }))
      .filter(({ name }) => isChosen(name, chosen))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const found = wanted.map(async ({ object, name }) => {
      const view = archived.get(name);
      if (view === undefined) return null;
      const file = `${archive.file} (${name})`;
      const calibration = await calibrationOf(object, view.calibration && { bytes: view.calibration, file });
      return { name, bytes: view.image, file, calibration };
    });
    return (await Promise.all(found)).filter((view) => view !== null);
  };

  return {
    description: files === store ? `${prefix} in ${store.description}` : place!.path,
    count: (split) => index.counts[split],
    range: async (split, from, to) => (await index.range(split, from, to)).map(({ id }) => id),
    template,
    regions,
    async load(split, id) {
      try {
        const frame = await index.find(split, id);
        if (!frame) throw new FrameUnreadable(id, `it is not in the ${split} list of data set ${name}`);
        const [encoded, scan, registration] = await Promise.all([
          views(frame),
          frame.scan && fetch(frame.scan),
          frame.registration && fetch(frame.registration),
        ]);
        return { views: encoded, scan, registration };
      } catch (cause) {
        if (cause instanceof FormatError || cause instanceof ObjectNotFound || cause instanceof ObjectDamaged) {
          throw new FrameUnreadable(id, cause.message, { cause });
        }
        throw cause;
      }
    },
    bytesRead: () => cache.counts.missBytes,
  };
}
