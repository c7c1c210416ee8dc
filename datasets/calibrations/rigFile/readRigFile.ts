import { quoted } from '../../formats/formatError.js';
import { describe, fieldOf, fieldsOf, isMap, neededField, problem, type Fields } from '../fields/fields.js';
import { isCameraName } from '../fields/names.js';
import type { OpencvCamera } from '../opencvCamera.js';
import type { CalibrationDefaults } from '../options.js';
import { flattened } from './flatten.js';
import { names } from './names.js';
import { hasIntrinsics, readImageSize, readIntrinsics } from './readIntrinsics.js';
import { readLens, skipLens } from './readLens.js';
import { readPose } from './readPose.js';
import { unreadFields, unreadNote } from './unreadFields.js';

/**
 * Reads cameras whose fields go by the names that OpenCV and people give them (`names.ts`). The map holds one camera (named by
 * the file), or several: `cameras`, a map by name or a list of which each has a `name`; or a map of cameras by name. What
 * stands beside them (units, image size …) holds for all. A field that may be of the lens and is not understood is
 * refused; others that are not used are reported as a note.
 *
 * @param stem the file's name without extension: the camera's, where the file holds one that has no name.
 * @throws FormatError naming the file, the camera and the field
 */
export function readRigFile(
  root: Readonly<Record<string, unknown>>,
  file: string,
  stem: string,
  given: CalibrationDefaults,
): OpencvCamera[] {
  const defaults = { ...given, ...panopticDefaults(root, file, given) };
  const ignored = new Set(defaults.ignored);
  const values = Object.fromEntries(Object.entries(root).filter(([key]) => !ignored.has(key)));
  const top = fieldsOf(file, '', values);
  const unread = new Set<string>();
  const read = (path: string, own: Readonly<Record<string, unknown>>, named: string | null): OpencvCamera => {
    const whole = flattened(fieldsOf(file, path, own));
    const kept = Object.fromEntries(Object.entries(whole.values).filter(([key]) => !ignored.has(key)));
    const fields = { ...whole, values: kept };
    const camera = readCamera(fields, named, defaults);
    for (const name of unreadFields(fields, defaults.undistorted === true)) unread.add(name);
    return camera;
  };
  const cameras = readAll(top, stem, read);
  if (unread.size > 0) defaults.onNote?.(unreadNote(file, unread));
  return cameras;
}

function readAll(
  top: Fields,
  stem: string,
  read: (path: string, own: Readonly<Record<string, unknown>>, named: string | null) => OpencvCamera,
): OpencvCamera[] {
  const { values: root } = top;
  if (hasIntrinsics(root)) return [read('', root, fieldOf(top, names.name) ? null : stem)];
  const shared = Object.fromEntries(
    Object.entries(root).filter(([key, value]) => key !== 'cameras' && !isCamera(value) && !isName(key)),
  );
  const cameras = Object.hasOwn(root, 'cameras') ? root['cameras'] : cameraMaps(root);
  if (Array.isArray(cameras)) {
    return (cameras as readonly unknown[]).map((value, i) => {
      if (!isMap(value)) throw problem(top, `cameras[${i}]`, 'a camera', describe(value));
      return read(`cameras[${i}]`, { ...shared, ...value }, null);
    });
  }
  const entries = isMap(cameras) ? Object.entries(cameras) : [];
  if (entries.length === 0) {
    const keys = Object.keys(root).slice(0, 12).map(quoted).join(', ');
    const expected = `a camera matrix (${names.cameraMatrix.join(', ')}), or cameras that have one`;
    throw problem(top, '', expected, keys === '' ? 'nothing' : keys);
  }
  return entries.map(([name, value]) => {
    if (!isMap(value)) throw problem(top, `cameras.${name}`, 'a camera', describe(value));
    return read(name, { ...shared, ...value }, name);
  });
}

function isCamera(value: unknown): boolean {
  return isMap(value) && hasIntrinsics(value);
}

/** A name of the whole rig is no camera's. */
function isName(key: string): boolean {
  return (names.name as readonly string[]).includes(key);
}

function cameraMaps(root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(root).filter(([, value]) => isCamera(value)));
}

function readCamera(fields: Fields, named: string | null, defaults: CalibrationDefaults): OpencvCamera {
  const own = fieldOf(fields, names.name);
  const stated =
    named === null ? (own ?? neededField(fields, names.name, "the camera's name")) : { name: '', value: named };
  if (typeof stated.value !== 'string' || !isCameraName(stated.value)) {
    const expected = 'a name of letters, digits, dashes and underscores (a file is called so)';
    throw problem(fields, stated.name, expected, describe(stated.value));
  }
  return {
    name: stated.value,
    imageSize: readImageSize(fields, defaults),
    ...readIntrinsics(fields),
    distortion: defaults.undistorted ? skipLens(fields) : readLens(fields),
    ...readPose(fields, defaults),
  };
}

/** CMU Panoptic's files (`calibDataSource`, cameras with panel and node) are in centimetres, world to camera. */
function panopticDefaults(
  root: Readonly<Record<string, unknown>>,
  file: string,
  { units, extrinsics, onNote }: CalibrationDefaults,
): CalibrationDefaults {
  if (!Object.hasOwn(root, 'calibDataSource') || (units !== undefined && extrinsics !== undefined)) return {};
  onNote?.(`${file}: taken for CMU Panoptic's, which has centimetres and world to camera where nothing else is said.`);
  return { units: units ?? 'cm', extrinsics: extrinsics ?? 'world-to-camera' };
}
