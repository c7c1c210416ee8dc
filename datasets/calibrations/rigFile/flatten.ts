import { isMap, problem, type Fields } from '../fields/fields.js';

/** Maps that only hold a camera's fields together. */
const groups = ['calibration', 'intrinsics', 'intrinsic', 'extrinsics', 'extrinsic', 'lens', 'distortion', 'pose'];

/**
 * A camera's fields with those in `intrinsics: {…}`, `distortion: {…}` and the like beside the others.
 * @throws FormatError if a name stands in two places
 */
export function flattened(fields: Fields): Fields {
  let values = fields.values;
  for (const group of groups) {
    const inner = values[group];
    // A map with data is a matrix.
    if (!isMap(inner) || Object.hasOwn(inner, 'data')) continue;
    const { [group]: _, ...others } = values;
    const twice = Object.keys(inner).find((name) => Object.hasOwn(others, name));
    if (twice !== undefined)
      throw problem(fields, `${group}.${twice}`, 'each field once', `${twice} beside it as well`);
    values = { ...others, ...inner };
  }
  return { ...fields, values };
}
