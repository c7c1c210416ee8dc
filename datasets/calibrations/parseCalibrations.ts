import { parseDocument } from 'yaml';
import { rotationAboutAxis } from '../../geometry/rotation.js';
import { FormatError, quoted, withoutByteOrderMark } from '../formats/formatError.js';
import { rotationProblem } from '../formats/rotationProblem.js';
import { describe, fieldOf, isMap, matrixOf, neededField, problem, wordOf, type Fields } from './fields.js';
import type { OpencvCamera } from './opencvCamera.js';

/** What a file need not say itself; where it does, the file counts. */
export interface CalibrationDefaults {
  readonly units?: 'mm' | 'cm' | 'm' | undefined;
  readonly extrinsics?: 'world-to-camera' | 'camera-to-world' | undefined;
  /** `[width, height]`, px. */
  readonly imageSize?: readonly [number, number] | undefined;
  /** The images have been undistorted, to the same camera matrix: what a file says of the lens holds no more. */
  readonly undistorted?: boolean | undefined;
}

const names = {
  cameraMatrix: ['camera_matrix', 'cameraMatrix', 'intrinsic_matrix', 'intrinsics', 'K', 'M'],
  distortion: [
    'distortion_coefficients',
    'distortionCoefficients',
    'dist_coeffs',
    'distCoeffs',
    'distortion',
    'dist',
    'D',
  ],
  rotation: ['rotation', 'rotation_matrix', 'rotationMatrix', 'R', 'rotation_vector', 'rvec'],
  translation: ['translation', 'translation_vector', 'T', 't', 'tvec'],
  transform: ['extrinsic_matrix', 'extrinsics_matrix', 'transform', 'pose', 'RT'],
  imageSize: ['image_size', 'imageSize', 'resolution', 'size'],
  width: ['image_width', 'imageWidth', 'width'],
  height: ['image_height', 'imageHeight', 'height'],
  units: ['units', 'unit'],
  extrinsics: ['extrinsics', 'extrinsics_direction', 'direction'],
  model: ['distortion_model', 'camera_model', 'model'],
  name: ['name', 'camera_name'],
} as const;

const unitWords: Readonly<Record<string, 'mm' | 'cm' | 'm'>> = {
  ...{ mm: 'mm', millimetre: 'mm', millimetres: 'mm', millimeter: 'mm', millimeters: 'mm' },
  ...{ cm: 'cm', centimetre: 'cm', centimetres: 'cm', centimeter: 'cm', centimeters: 'cm' },
  ...{ m: 'm', metre: 'm', metres: 'm', meter: 'm', meters: 'm' },
};
const millimetres = { mm: 1, cm: 10, m: 1000 } as const;
const directionWords = {
  'world-to-camera': 'world-to-camera',
  w2c: 'world-to-camera',
  'camera-to-world': 'camera-to-world',
  c2w: 'camera-to-world',
} as const;
/** Models of the form that OpenCV's `projectPoints` has. */
const modelWords = {
  pinhole: 'pinhole',
  opencv: 'opencv',
  'plumb-bob': 'plumb_bob',
  'rational-polynomial': 'rational_polynomial',
  'thin-prism': 'thin_prism',
  standard: 'standard',
} as const;

/** Coefficients of distortion. */
const terms = 12;
/** Characters. A rig of hundreds of cameras has less. */
const longest = 4_000_000;

/**
 * Reads the cameras of a calibration file: YAML as `cv::FileStorage` writes it (`%YAML:1.0`, `!!opencv-matrix`), plain
 * YAML, or JSON. A file holds one camera (named by the file), or several: `cameras:`, a map by name or a list of which
 * each has a `name`; or a map of cameras by name. What stands beside them (units, image size …) holds for all.
 *
 * @param stem the file's name without extension: the camera's, where the file holds one that has no name.
 * @throws FormatError naming the file, the camera and the field
 */
export function parseCalibrations(
  text: string,
  file: string,
  stem: string,
  defaults: CalibrationDefaults,
): OpencvCamera[] {
  const root = readMap(text, file);
  const top: Fields = { file, path: '', values: root };
  if (fieldOf(top, names.cameraMatrix)) return [readCamera(top, fieldOf(top, names.name) ? null : stem, defaults)];
  const shared = Object.fromEntries(Object.entries(root).filter(([key, value]) => !isCamera(value) && !isName(key)));
  const of = (path: string, value: Readonly<Record<string, unknown>>): Fields => {
    return { file, path, values: { ...shared, ...value } };
  };
  const cameras = Object.hasOwn(root, 'cameras') ? root['cameras'] : cameraMaps(root);
  if (Array.isArray(cameras)) {
    return (cameras as readonly unknown[]).map((value, i) => {
      if (!isMap(value)) throw problem(top, `cameras[${i}]`, 'a camera', describe(value));
      return readCamera(of(`cameras[${i}]`, value), null, defaults);
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
    return readCamera(of(name, value), name, defaults);
  });
}

function readMap(text: string, file: string): Readonly<Record<string, unknown>> {
  if (text.length > longest) {
    throw new FormatError({ file, expected: `at most ${longest} characters`, found: `${text.length}` });
  }
  // Not a YAML directive, though it looks like one; an empty line keeps the lines' numbers.
  const whole = withoutByteOrderMark(text).replace(/^%YAML:1\.[0-9][^\n]*/, '');
  let value: unknown;
  try {
    // JSON is YAML, but for its tabs.
    if (/^\s*\{/.test(whole)) value = JSON.parse(whole);
    else {
      const document = parseDocument(whole, { logLevel: 'silent' });
      if (document.errors[0]) throw document.errors[0];
      value = document.toJS({ maxAliasCount: 10 });
    }
  } catch (cause) {
    const found = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;
    throw new FormatError({ file, expected: 'YAML as OpenCV writes it, or JSON', found });
  }
  if (isMap(value)) return value;
  throw new FormatError({ file, expected: 'a map of settings', found: describe(value) });
}

function isCamera(value: unknown): boolean {
  return isMap(value) && names.cameraMatrix.some((name) => Object.hasOwn(value, name));
}

/** A name of the whole rig is no camera's. */
function isName(key: string): boolean {
  return (names.name as readonly string[]).includes(key);
}

function cameraMaps(root: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(root).filter(([, value]) => isCamera(value)));
}

function readCamera(fields: Fields, named: string | null, defaults: CalibrationDefaults): OpencvCamera {
  const stated = named === null ? neededField(fields, names.name, "the camera's name") : { name: '', value: named };
  const name = stated.value;
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name)) {
    throw problem(
      fields,
      stated.name,
      'a name of letters, digits, dashes and underscores (a file is called so)',
      describe(name),
    );
  }
  return {
    name,
    imageSize: readImageSize(fields, defaults),
    ...readCameraMatrix(fields),
    distortion: defaults.undistorted ? new Float64Array(terms) : readDistortion(fields),
    ...readExtrinsics(fields, defaults),
  };
}

function readCameraMatrix(fields: Fields): Pick<OpencvCamera, 'focal' | 'principalPoint'> {
  const field = neededField(fields, names.cameraMatrix, 'a camera matrix');
  const { data } = matrixOf(fields, field, 'a camera matrix, 3 × 3');
  const expected = 'a camera matrix [fx 0 cx; 0 fy cy; 0 0 1] with fx and fy above 0';
  if (data.length !== 9) throw problem(fields, field.name, expected, `${data.length} numbers`);
  const [fx, skew, cx, below, fy, cy, ...last] = data as [number, number, number, number, number, number, ...number[]];
  const isPlain = below === 0 && last.join() === '0,0,1' && fx > 0 && fy > 0;
  if (!isPlain) throw problem(fields, field.name, expected, `[${data.join(' ')}]`);
  // OpenCV's own projection leaves the skew out as well: such a matrix is another program's.
  if (Math.abs(skew) > 1e-9 * fx) throw problem(fields, field.name, 'no skew, which OpenCV does not know', `${skew}`);
  return { focal: [fx, fy], principalPoint: [cx, cy] };
}

function readDistortion(fields: Fields): Float64Array {
  const model = fieldOf(fields, names.model);
  if (model) wordOf(fields, model, modelWords);
  const coefficients = new Float64Array(terms);
  const field = fieldOf(fields, names.distortion);
  if (!field) return coefficients;
  const { data } = matrixOf(fields, field, 'distortion coefficients k1 k2 p1 p2 k3 …');
  if (![0, 2, 4, 5, 8, 12, 14].includes(data.length)) {
    const expected = '4, 5, 8, 12 or 14 coefficients (k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 τx τy), or k1 k2 alone';
    throw problem(fields, field.name, expected, `${data.length}`);
  }
  if (data.slice(12).some((tilt) => tilt !== 0)) {
    throw problem(
      fields,
      field.name,
      'no tilted sensor (τx, τy): undistort the images with OpenCV',
      `${data.slice(12).join(', ')}`,
    );
  }
  coefficients.set(data.slice(0, 12));
  return coefficients;
}

function readImageSize(fields: Fields, { imageSize }: CalibrationDefaults): readonly [number, number] {
  const pair = fieldOf(fields, names.imageSize);
  const width = fieldOf(fields, names.width);
  const height = fieldOf(fields, names.height);
  const expected = 'width and height in whole pixels, 1 to 65535';
  let size: readonly unknown[];
  if (pair)
    size = isMap(pair.value) ? [pair.value['width'], pair.value['height']] : matrixOf(fields, pair, expected).data;
  else if (width && height) size = [width.value, height.value];
  else if (imageSize) size = imageSize;
  else throw problem(fields, '', `the image size (image_width and image_height, or --image-size)`, 'none');
  const isSide = (side: unknown): side is number =>
    typeof side === 'number' && Number.isInteger(side) && side > 0 && side <= 65_535;
  const [first, second, ...more] = size;
  if (!isSide(first) || !isSide(second) || more.length > 0) {
    throw problem(fields, pair?.name ?? 'image size', expected, size.map(describe).join(' × '));
  }
  return [first, second];
}

/** World to camera, mm, whichever way the file has it. */
function readExtrinsics(fields: Fields, defaults: CalibrationDefaults): Pick<OpencvCamera, 'rotation' | 'translation'> {
  const unitField = fieldOf(fields, names.units);
  const units = unitField ? wordOf(fields, unitField, unitWords) : defaults.units;
  if (!units) throw problem(fields, '', 'the units of the translation (units: mm, cm or m; or --units)', 'none');
  const directionField = fieldOf(fields, names.extrinsics);
  const direction = directionField ? wordOf(fields, directionField, directionWords) : defaults.extrinsics;
  if (!direction) {
    const expected =
      'which way rotation and translation go (extrinsics: world-to-camera, as OpenCV has them, or camera-to-world; or --extrinsics)';
    throw problem(fields, '', expected, 'nothing');
  }
  const { rotation, translation } = readTransform(fields);
  const found = rotationProblem(rotation.values);
  if (found !== null)
    throw problem(fields, rotation.name, 'a rotation matrix (orthonormal rows, determinant 1)', found);
  const [x, y, z] = translation.map((value) => value * millimetres[units]) as [number, number, number];
  const r = rotation.values;
  if (direction === 'world-to-camera') return { rotation: r, translation: [x, y, z] };
  // x_world = R x + c: the camera's own rotation is Rᵀ, its translation −Rᵀ c.
  const back = (row: number): number => -(r[row]! * x + r[3 + row]! * y + r[6 + row]! * z);
  return {
    rotation: Float64Array.of(r[0]!, r[3]!, r[6]!, r[1]!, r[4]!, r[7]!, r[2]!, r[5]!, r[8]!),
    translation: [back(0), back(1), back(2)],
  };
}

interface Transform {
  readonly rotation: { readonly name: string; readonly values: Float64Array };
  readonly translation: readonly number[];
}

function readTransform(fields: Fields): Transform {
  const whole = fieldOf(fields, names.transform);
  const rotation = fieldOf(fields, names.rotation);
  const translation = fieldOf(fields, names.translation);
  if (whole && !rotation && !translation) {
    const expected = 'rotation and translation, 3 × 4 or 4 × 4';
    const { rows, columns, data } = matrixOf(fields, whole, expected);
    const isWhole = columns === 4 && (rows === 3 || (rows === 4 && data.slice(12).join() === '0,0,0,1'));
    if (!isWhole) throw problem(fields, whole.name, expected, `${rows} × ${columns}`);
    const values = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => data[i]!);
    return { rotation: { name: whole.name, values }, translation: [data[3]!, data[7]!, data[11]!] };
  }
  const rotationField = neededField(fields, names.rotation, 'a rotation, 3 × 3 or Rodrigues vector');
  const translationField = neededField(fields, names.translation, 'a translation, three numbers');
  const moved = matrixOf(fields, translationField, 'three numbers').data;
  if (moved.length !== 3) throw problem(fields, translationField.name, 'three numbers', `${moved.length}`);
  const turned = matrixOf(fields, rotationField, 'a rotation, 3 × 3 or Rodrigues vector').data;
  if (turned.length !== 9 && turned.length !== 3) {
    throw problem(fields, rotationField.name, 'nine numbers, or three of a Rodrigues vector', `${turned.length}`);
  }
  const values = turned.length === 9 ? Float64Array.from(turned) : rodrigues(turned as [number, number, number]);
  return { rotation: { name: rotationField.name, values }, translation: moved };
}

/** The rotation about a vector by its length in radians. */
function rodrigues(vector: readonly [number, number, number]): Float64Array {
  const angle = Math.hypot(...vector);
  return angle === 0 ? Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) : rotationAboutAxis(vector, angle);
}
