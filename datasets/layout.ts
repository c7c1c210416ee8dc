import type { ViewKind } from '../configs/schema/viewKind.js';
import type { FrameId } from './types.js';

/** FaMoS's layout on a disk (method 1): paths below the folders of images, calibrations, scans, registrations. */

/** `S/Q/N/Q.N.C.png` */
export function imagePath({ subject, sequence, frame }: FrameId, view: string, extension = 'png'): string {
  return `${subject}/${sequence}/${frame}/${sequence}.${frame}.${view}.${extension}`;
}

/** `S/Q/C.tka` */
export function calibrationPath(subject: string, sequence: string, view: string): string {
  return `${subject}/${sequence}/${view}.tka`;
}

/** `S/Q/Q.N.npy` of a scan, `S/Q/Q.N.ply` of a mesh. */
export { framePath } from '../storage/keys.js';

/** Human-readable: `S/Q/N`. */
export function frameName({ subject, sequence, frame }: FrameId): string {
  return `${subject}/${sequence}/${frame}`;
}

/** Frames by their sequences, both in the order in which they are first named. */
export function bySequence(ids: readonly FrameId[]): FrameId[][] {
  const sequences = new Map<string, FrameId[]>();
  for (const id of ids) {
    const name = `${id.subject}/${id.sequence}`;
    const sequence = sequences.get(name);
    if (sequence) sequence.push(id);
    else sequences.set(name, [id]);
  }
  return [...sequences.values()];
}

/** Whether a view is of the kind asked for: names with `_A` or `_B` are stereo (grey) cameras, `_C` colour cameras. */
export function isViewOfKind(view: string, kind: ViewKind): boolean {
  if (kind === 'all') return true;
  return kind === 'stereo' ? /_[AB]$/.test(view) : /_C$/.test(view);
}
