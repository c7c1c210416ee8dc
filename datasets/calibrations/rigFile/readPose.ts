import { rotationProblem } from '../../formats/rotationProblem.js';
import { rotationAboutAxis } from '../../../geometry/rotation.js';
import { fieldOf, neededField, problem, wordOf, type Fields } from '../fields/fields.js';
import { matrixOf } from '../fields/matrices.js';
import type { OpencvCamera } from '../opencvCamera.js';
import { scaleOf, type CalibrationDefaults, type Unit } from '../options.js';
import { invertedPose, type Pose } from '../fields/pose.js';
import { names } from './names.js';

const unitWords: Readonly<Record<string, Unit>> = {
  ...{ mm: 'mm', millimetre: 'mm', millimetres: 'mm', millimeter: 'mm', millimeters: 'mm' },
  ...{ cm: 'cm', centimetre: 'cm', centimetres: 'cm', centimeter: 'cm', centimeters: 'cm' },
  ...{ m: 'm', metre: 'm', metres: 'm', meter: 'm', meters: 'm' },
};
const directionWords = {
  'world-to-camera': 'world-to-camera',
  w2c: 'world-to-camera',
  'camera-to-world': 'camera-to-world',
  c2w: 'camera-to-world',
} as const;

/** World to camera, mm, whichever way the file has it. @throws FormatError */
export function readPose(
  fields: Fields,
  defaults: CalibrationDefaults,
): Pick<OpencvCamera, 'rotation' | 'translation'> {
  const unitField = fieldOf(fields, names.units);
  const stated = unitField ? wordOf(fields, unitField, unitWords) : defaults.units;
  const units = typeof defaults.units === 'number' ? defaults.units : stated;
  if (units === undefined)
    throw problem(fields, '', 'the units of the translation (units: mm, cm or m; or --units)', 'none');
  const directed = fieldOf(fields, names.extrinsics);
  // A list is the transform itself.
  const directionField = Array.isArray(directed?.value) ? null : directed;
  const direction = directionField ? wordOf(fields, directionField, directionWords) : defaults.extrinsics;
  if (!direction) {
    const expected =
      'which way rotation and translation go (extrinsics: world-to-camera, as OpenCV has them, or camera-to-world; or --extrinsics)';
    throw problem(fields, '', expected, 'nothing');
  }
  const { name, rotation, translation } = readTransform(fields);
  const found = rotationProblem(rotation);
  if (found !== null) throw problem(fields, name, 'a rotation matrix (orthonormal rows, determinant 1)', found);
  const [x, y, z] = translation.map((value) => value * scaleOf(units)) as [number, number, number];
  const pose = { rotation, translation: [x, y, z] as const };
  return direction === 'world-to-camera' ? pose : invertedPose(pose);
}

/** Rotation and translation as they stand. */
function readTransform(fields: Fields): Pose & { readonly name: string } {
  const whole = fieldOf(
    fields,
    Array.isArray(fields.values['extrinsics']) ? ['extrinsics', ...names.transform] : names.transform,
  );
  const rotation = fieldOf(fields, names.rotation);
  const translation = fieldOf(fields, names.translation);
  if (whole && !rotation && !translation) {
    const expected = 'rotation and translation, 3 × 4 or 4 × 4';
    const { rows, columns, data } = matrixOf(fields, whole, expected);
    const isWhole = columns === 4 && (rows === 3 || (rows === 4 && data.slice(12).join() === '0,0,0,1'));
    if (!isWhole) throw problem(fields, whole.name, expected, `${rows} × ${columns}`);
    const values = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => data[i]!);
    return { name: whole.name, rotation: values, translation: [data[3]!, data[7]!, data[11]!] };
  }
  if (whole) throw problem(fields, whole.name, 'a transform, or rotation and translation', 'both');
  const what = "the camera's rotation in the rig, 3 × 3 or Rodrigues vector (poses of a calibration board are none)";
  const rotationField = neededField(fields, names.rotation, what);
  const translationField = neededField(fields, names.translation, 'a translation, three numbers');
  const moved = matrixOf(fields, translationField, 'three numbers').data;
  if (moved.length !== 3) throw problem(fields, translationField.name, 'three numbers', `${moved.length}`);
  const turned = matrixOf(fields, rotationField, 'a rotation, 3 × 3 or Rodrigues vector').data;
  if (turned.length !== 9 && turned.length !== 3) {
    throw problem(fields, rotationField.name, 'nine numbers, or three of a Rodrigues vector', `${turned.length}`);
  }
  const values = turned.length === 9 ? Float64Array.from(turned) : rodrigues(turned as [number, number, number]);
  return { name: rotationField.name, rotation: values, translation: [moved[0]!, moved[1]!, moved[2]!] };
}

/** The rotation about a vector by its length in radians. */
function rodrigues(vector: readonly [number, number, number]): Float64Array {
  const angle = Math.hypot(...vector);
  return angle === 0 ? Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) : rotationAboutAxis(vector, angle);
}
