import { multiply3x3 } from '../../../geometry/cameras/camera.js';

/** x_to = rotation · x_from + translation. */
export interface Pose {
  /** Row by row. `[3 * 3]` */
  readonly rotation: Float64Array;
  readonly translation: readonly [number, number, number];
}

/** The way back: x_from = rotationᵀ · (x_to − translation). */
export function invertedPose({ rotation: r, translation: [x, y, z] }: Pose): Pose {
  const back = (row: number): number => -(r[row]! * x + r[3 + row]! * y + r[6 + row]! * z);
  return {
    rotation: Float64Array.of(r[0]!, r[3]!, r[6]!, r[1]!, r[4]!, r[7]!, r[2]!, r[5]!, r[8]!),
    translation: [back(0), back(1), back(2)],
  };
}

/** First `first`, then `then`. */
export function composed(then: Pose, first: Pose): Pose {
  const [x, y, z] = first.translation;
  const r = then.rotation;
  const along = (row: number): number =>
    r[3 * row]! * x + r[3 * row + 1]! * y + r[3 * row + 2]! * z + then.translation[row]!;
  return { rotation: multiply3x3(r, first.rotation), translation: [along(0), along(1), along(2)] };
}
