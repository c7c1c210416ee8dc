import { FormatError, quoted } from '../formats/formatError.js';
import { rotationProblem } from '../formats/rotationProblem.js';

/** The way from a calibration's world to the data's: x_data = axes · (units · x_file − origin). */
export interface Alignment {
  /** mm a unit of the file. */
  readonly units: number;
  /** mm. */
  readonly origin: readonly [number, number, number];
  /** A rotation, `[3 * 3]` row by row. */
  readonly axes: Float64Array;
}

/**
 * Reads a matrix that takes points of a calibration's world to the data's, in mm: 4 × 4 numbers row by row, as programs that
 * align point clouds print them, or as JSON.
 *
 * @throws FormatError if it does more than scale, turn and move
 */
export function parseAlignment(text: string, file: string): Alignment {
  const words = text.split(/[\s,;[\]]+/).filter((word) => word !== '');
  const m = words.map(Number);
  if (m.length !== 16 || !m.every(Number.isFinite) || m.slice(12).join() !== '0,0,0,1') {
    const expected = 'a matrix of 4 × 4 numbers with a last row of 0 0 0 1';
    throw new FormatError({
      file,
      expected,
      found: words.length === 16 ? quoted(text.trim()) : `${words.length} numbers`,
    });
  }
  const linear = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => m[i]!);
  const scale = Math.hypot(linear[0]!, linear[1]!, linear[2]!);
  const rotation = linear.map((value) => value / scale);
  const found = scale > 0 ? rotationProblem(rotation) : 'one that makes a point of everything';
  if (found !== null) {
    throw new FormatError({ file, expected: 'one scale, a rotation and a translation', found });
  }
  // x_data = scale · R · x_file + t
  const [x, y, z] = [m[3]!, m[7]!, m[11]!];
  const back = (i: number): number => -(rotation[i]! * x + rotation[3 + i]! * y + rotation[6 + i]! * z);
  return { units: scale, origin: [back(0), back(1), back(2)], axes: rotation };
}
