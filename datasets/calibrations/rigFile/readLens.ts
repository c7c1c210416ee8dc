import { fieldOf, numberOf, problem, wordOf, type Fields } from '../fields/fields.js';
import { matrixOf } from '../fields/matrices.js';
import { distortionTerms } from '../opencvCamera.js';
import { isOtherLens, otherLens } from '../fields/otherLens.js';
import { coefficientNames, names } from './names.js';

/** Models of the form that OpenCV's `projectPoints` has. */
const modelWords = {
  pinhole: 'pinhole',
  'simple-pinhole': 'pinhole',
  'simple-radial': 'opencv',
  radial: 'opencv',
  perspective: 'pinhole',
  opencv: 'opencv',
  'plumb-bob': 'plumb_bob',
  radtan: 'radtan',
  'rational-polynomial': 'rational_polynomial',
  'thin-prism': 'thin_prism',
  standard: 'standard',
  none: 'none',
} as const;

/**
 * OpenCV's coefficients k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 of a camera: as a list, or each by its name; zeros where
 * there are none. `[12]`
 *
 * @throws FormatError, also of a lens of another model
 */
export function readLens(fields: Fields): Float64Array {
  for (const name of names.fisheye) {
    const flag = fieldOf(fields, [name])?.value ?? false;
    if (flag !== 0 && flag !== false) throw otherLens(fields, name, flag);
  }
  const model = fieldOf(fields, names.model);
  if (model && isOtherLens(model.value)) throw otherLens(fields, model.name, model.value);
  if (model) wordOf(fields, model, modelWords);
  const named = readNamed(fields);
  const field = fieldOf(fields, names.distortion);
  if (!field) return named ?? new Float64Array(distortionTerms);
  if (named) throw problem(fields, field.name, 'coefficients as a list, or each by its name', 'both');
  const { data } = matrixOf(fields, field, 'distortion coefficients k1 k2 p1 p2 k3 …');
  if (![0, 2, 4, 5, 8, 12, 14].includes(data.length)) {
    const expected = '4, 5, 8, 12 or 14 coefficients (k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 τx τy), or k1 k2 alone';
    throw problem(fields, field.name, expected, `${data.length}`);
  }
  if (data.slice(distortionTerms).some((tilt) => tilt !== 0)) {
    throw problem(
      fields,
      field.name,
      'no tilted sensor (τx, τy): undistort the images with OpenCV',
      `${data.slice(distortionTerms).join(', ')}`,
    );
  }
  const coefficients = new Float64Array(distortionTerms);
  coefficients.set(data.slice(0, distortionTerms));
  return coefficients;
}

function readNamed(fields: Fields): Float64Array | null {
  const found = coefficientNames.map((name) => fieldOf(fields, [name]));
  if (found.every((field) => field === null)) return null;
  return Float64Array.from(found, (field) => (field === null ? 0 : numberOf(fields, field)));
}

/** Fields of a camera whose images are undistorted: read, for they are known, but not used. */
export function skipLens(fields: Fields): Float64Array {
  const all = [...names.fisheye, ...names.model, ...names.distortion, ...coefficientNames];
  for (const name of all) if (Object.hasOwn(fields.values, name)) fields.read.add(name);
  return new Float64Array(distortionTerms);
}
