import { framePath, isViewOfKind } from '../layout.js';
import type { FrameFiles } from './sequenceFiles.js';

/** What there is not of a frame. */
export interface MissingParts {
  /** Why it cannot be used; null if it can. */
  readonly unusable: string | null;
  /** Cameras of which image or calibration is not there. */
  readonly views: readonly string[];
}

/**
 * Whether a frame's files suffice, by their names alone.
 *
 * @param cameras that have a calibration in its sequence.
 */
export function missingParts(
  { id, images, scan, registration }: FrameFiles,
  cameras: readonly string[],
  expected: { readonly scansExpected: boolean; readonly registrationsExpected: boolean },
): MissingParts {
  const without = (reason: string): MissingParts => ({ unusable: reason, views: [] });
  if (cameras.length === 0) return without('there is no calibration (.tka) of its sequence');
  if (images.size === 0) return without('there is no image of it');
  if (scan === null && expected.scansExpected) return without(`there is no scan ${framePath(id, 'npy')}`);
  if (registration === null && expected.registrationsExpected)
    return without(`there is no registration ${framePath(id, 'ply')}`);
  const views = [
    ...cameras.filter((camera) => !images.has(camera)).map((camera) => `no image of ${camera}`),
    ...[...images.keys()].filter((view) => !cameras.includes(view)).map((view) => `no calibration of ${view}`),
  ];
  // The variance over views needs two of them: stereo ones, where the rig has such.
  const isStereo = (name: string): boolean => isViewOfKind(name, 'stereo');
  const there = cameras.filter((camera) => images.has(camera));
  const count = cameras.some(isStereo) ? there.filter(isStereo).length : there.length;
  if (count >= 2) return { unusable: null, views };
  const first = views.slice(0, 3).join('; ');
  return { unusable: `it has ${count} usable views, at least two are needed (${first})`, views };
}
