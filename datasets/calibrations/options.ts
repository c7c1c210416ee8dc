/** What a calibration file need not say itself; where it does, the file counts. */
export interface CalibrationDefaults {
  /** Of translations; a number: so many millimetres a unit. */
  readonly units?: Unit | number | undefined;
  readonly extrinsics?: 'world-to-camera' | 'camera-to-world' | undefined;
  /** `[width, height]`, px. */
  readonly imageSize?: readonly [number, number] | undefined;
  /** The images have been undistorted, to the same camera matrix: what a file says of the lens holds no more. */
  readonly undistorted?: boolean | undefined;
  /** Fields that are left out, whatever they say. */
  readonly ignored?: readonly string[] | undefined;
  /** Is told what a person should know of a file that was read, a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export type Unit = 'mm' | 'cm' | 'm';

const millimetres = { mm: 1, cm: 10, m: 1000 } as const;

/** Millimetres a unit. */
export function scaleOf(units: Unit | number): number {
  return typeof units === 'number' ? units : millimetres[units];
}
