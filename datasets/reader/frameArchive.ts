import { parse } from 'node:path';
import { readTar } from '../formats/archives/tar.js';
import type { FrameId } from '../types.js';

/** A view of a packed frame. */
export interface ArchivedView {
  /** The image file, whole. */
  readonly image: Uint8Array;
  /** The calibration file, whole; null in archives of earlier versions, which have it as an object of its own only. */
  readonly calibration: Uint8Array | null;
}

const calibrationEnd = '.tka';

/**
 * Names of the files in `images/S/Q/N.tar`, in their order: the images of a frame's views, then their calibrations, a
 * kilobyte each: reading a frame takes no request for them.
 */
export function archiveNames(views: readonly string[], imageExtension: string): string[] {
  return [...views.map((name) => `${name}.${imageExtension}`), ...views.map((name) => name + calibrationEnd)];
}

/**
 * The views whose image is there, by name. Images may be named as in FaMoS (`Q.N.C.png`), too.
 *
 * @param file its key, for messages.
 * @throws FormatError
 */
export function readFrameArchive(bytes: Uint8Array, file: string, id: FrameId): Map<string, ArchivedView> {
  const members = readTar(bytes, file);
  const isCalibration = ({ name }: { readonly name: string }): boolean => name.endsWith(calibrationEnd);
  const calibrations = new Map(members.filter(isCalibration).map((member) => [parse(member.name).name, member.bytes]));
  const images = members.filter((member) => !isCalibration(member));
  return new Map(
    images.map((member) => {
      const name = viewName(member.name, id);
      return [name, { image: member.bytes, calibration: calibrations.get(name) ?? null }];
    }),
  );
}

function viewName(member: string, { sequence, frame }: FrameId): string {
  const { name } = parse(member);
  const start = `${sequence}.${frame}.`;
  return name.startsWith(start) ? name.slice(start.length) : name;
}
