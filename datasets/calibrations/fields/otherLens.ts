import type { FormatError } from '../../formats/formatError.js';
import { describe, problem, type Fields } from './fields.js';

/** Words of lens models that a radial distortion of a pinhole's picture cannot stand in for. */
const otherModels =
  /fish-?eye|equi-?distant|equi-?solid|equi-?rectangular|kannala|brandt|omni|\b(?:ds|eucm|ucm|mei|ftheta)\b|double-?sphere|spherical|cylindrical|panoram|division|\bfov\b|latlong|ortho/i;

/** Whether a word names a lens model that the networks do not have. */
export function isOtherLens(value: unknown): boolean {
  return typeof value === 'string' && otherModels.test(value.replaceAll('_', '-'));
}

/** The error for a lens that cannot be written as a `.tka` file. */
export function otherLens(fields: Fields, name: string, found: unknown): FormatError {
  const expected =
    "a lens of OpenCV's usual model (pinhole, plumb_bob, rational_polynomial, thin_prism), for the networks have no other: " +
    'undistort the images (docs/own-data.md) and convert with --undistorted';
  return problem(fields, name, expected, describe(found));
}
