import { stat } from 'node:fs/promises';
import { layoutHints } from '../discover/layoutHints.js';
import { pathsOf } from '../pack/datasetFiles.js';
import { missingParts } from '../pack/missingParts.js';
import { findSequenceFiles } from '../pack/sequenceFiles.js';
import { openDirectorySource } from '../reader/datasetDirectory.js';
import { splitNames, type Split } from '../types.js';
import type { FrameTrouble, InspectedFrame, InspectOptions, Inspection } from './types.js';
import { bySequence } from '../layout.js';

/**
 * A folder in FaMoS layout by the files that its lists ask for: as packing would see it.
 *
 * @throws FormatError, and the file system's error where a list, the template or the masks are missing
 */
export async function inspectDirectory(directory: string, options: InspectOptions): Promise<Inspection> {
  const { dataset, onProgress, signal } = options;
  const { layout, imageExtension, storedResizeFactor } = dataset;
  const source = await openDirectorySource(directory, dataset, 'all');
  const frames: InspectedFrame[] = [];
  const unusable: FrameTrouble[] = [];
  const incomplete: FrameTrouble[] = [];
  const calibrations = new Map<string, number>();
  const total = splitNames.reduce((sum, split) => sum + source.count(split), 0);
  let done = 0;
  for (const split of splitNames) {
    const there = layout[split];
    if (there === null) continue;
    const paths = pathsOf(directory, there);
    for (const ids of bySequence(await source.range(split, 0, source.count(split)))) {
      signal?.throwIfAborted();
      const files = await findSequenceFiles(paths, ids, imageExtension);
      const cameras = [...files.calibrations.keys()];
      for (const file of files.calibrations.values()) calibrations.set(file, await sizeOf(file));
      for (const frame of files.frames) {
        const { id } = frame;
        const expected = { scansExpected: true, registrationsExpected: there.registrations !== null };
        const { unusable: reason, views } = missingParts(frame, cameras, expected);
        if (reason !== null) {
          unusable.push({ split, id, reason });
          continue;
        }
        if (views.length > 0) incomplete.push({ split, id, reason: views.join('; ') });
        const used = cameras.filter((camera) => frame.images.has(camera));
        const images = await Promise.all(used.map((camera) => sizeOf(frame.images.get(camera)!)));
        const [scans, registrations] = await Promise.all([sizeOf(frame.scan), sizeOf(frame.registration)]);
        const bytes = { images: images.reduce((sum, size) => sum + size, 0), scans, registrations };
        frames.push({ split, id, views: used, bytes });
      }
      done += ids.length;
      onProgress?.({ what: 'looking for files', done, total });
    }
  }
  const calibrationBytes = [...calibrations.values()].reduce((sum, size) => sum + size, 0);
  const all = (split: Split) => source.range(split, 0, source.count(split));
  const lists = { train: await all('train'), validation: await all('validation'), test: await all('test') };
  const isEmpty = splitNames.some((split) => layout[split] !== null && !frames.some((frame) => frame.split === split));
  const layoutFindings = isEmpty ? await layoutHints(directory, dataset, lists) : [];
  return { source, storedResizeFactor, frames, unusable, incomplete, calibrationBytes, layoutHints: layoutFindings };
}

async function sizeOf(file: string | null): Promise<number> {
  return file === null ? 0 : (await stat(file)).size;
}
