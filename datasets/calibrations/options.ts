import { FormatError } from '../formats/formatError.js';

/** What a calibration file need not say itself; where it does, the file counts. */
export interface CalibrationDefaults {
  /** Of translations; a number: so many millimetres a unit, whatever the file says. */
  readonly units?: Unit | number | undefined;
  readonly extrinsics?: 'world-to-camera' | 'camera-to-world' | undefined;
  /** `[width, height]`, px. */
  readonly imageSize?: readonly [number, number] | undefined;
  /** The images have been undistorted, to the same camera matrix: what a file says of the lens holds no more. */
  readonly undistorted?: boolean | undefined;
  /** Finds a camera's name in the path of one of its images: its first group. */
  readonly cameraName?: RegExp | undefined;
  /** Fields that are left out, whatever they say. */
  readonly ignored?: readonly string[] | undefined;
  /** Called with what the user should know about a file that was read, a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export type Unit = 'mm' | 'cm' | 'm';

const millimetres = { mm: 1, cm: 10, m: 1000 } as const;

/**
 * Millimetres a unit of a file that does not say its units.
 *
 * @param own what the format has by definition; null if it has none.
 * @throws FormatError if nobody says them
 */
export function neededScale(file: string, { units }: CalibrationDefaults, own: Unit | null, why: string): number {
  const known = units ?? own;
  if (known !== null) return scaleOf(known);
  const expected = `the units of the translations: --units mm, cm or m, or --scale with so many millimetres a unit (${why})`;
  throw new FormatError({ file, expected, found: 'none' });
}

/** Millimetres a unit. */
export function scaleOf(units: Unit | number): number {
  return typeof units === 'number' ? units : millimetres[units];
}
