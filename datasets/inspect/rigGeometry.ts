import { cameraCentre, type Camera } from '../../geometry/cameras/camera.js';

/** In the world, mm. */
export type Vector = readonly [number, number, number];

/** The point nearest to all lines of sight, by least squares; null where they are parallel. */
export function meetingPoint(cameras: readonly Camera[]): [number, number, number] | null {
  // Sum of (I − d dᵀ), and of the same times the centres.
  const m = new Float64Array(9);
  const b = [0, 0, 0];
  for (const camera of cameras) {
    const centre = cameraCentre(camera);
    const axis = forward(camera);
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        const value = (row === column ? 1 : 0) - axis[row]! * axis[column]!;
        m[3 * row + column]! += value;
        b[row]! += value * centre[column]!;
      }
    }
  }
  const minor = (r: number, c: number): number => {
    const [r1, r2] = [(r + 1) % 3, (r + 2) % 3];
    const [c1, c2] = [(c + 1) % 3, (c + 2) % 3];
    return m[3 * r1 + c1]! * m[3 * r2 + c2]! - m[3 * r1 + c2]! * m[3 * r2 + c1]!;
  };
  const determinant = m[0]! * minor(0, 0) + m[1]! * minor(0, 1) + m[2]! * minor(0, 2);
  if (!(determinant > 1e-9 * cameras.length ** 3)) return null;
  const along = (row: number): number =>
    (minor(0, row) * b[0]! + minor(1, row) * b[1]! + minor(2, row) * b[2]!) / determinant;
  return [along(0), along(1), along(2)];
}

/** The direction that a camera looks in, in the world. */
export function forward({ extrinsics: e }: Camera): [number, number, number] {
  return [e[8]!, e[9]!, e[10]!];
}

/** As if [R | t] had been [Rᵀ | −Rᵀ t]. */
export function inverted(camera: Camera): Camera {
  const e = camera.extrinsics;
  const centre = cameraCentre(camera);
  const extrinsics = Float64Array.of(
    ...[e[0]!, e[4]!, e[8]!, centre[0]],
    ...[e[1]!, e[5]!, e[9]!, centre[1]],
    ...[e[2]!, e[6]!, e[10]!, centre[2]],
  );
  return { ...camera, extrinsics };
}

/** As if R had been Rᵀ, where the centre is right. */
export function transposedAboutCentre(camera: Camera): Camera {
  const e = camera.extrinsics;
  return about(camera, [e[0]!, e[4]!, e[8]!, e[1]!, e[5]!, e[9]!, e[2]!, e[6]!, e[10]!]);
}

/** As if its z axis had pointed backwards. */
export function turnedRound(camera: Camera): Camera {
  const e = camera.extrinsics;
  return about(camera, [e[0]!, e[1]!, e[2]!, -e[4]!, -e[5]!, -e[6]!, -e[8]!, -e[9]!, -e[10]!]);
}

/** The camera with another rotation, where it stands. */
function about(camera: Camera, r: readonly number[]): Camera {
  const centre = cameraCentre(camera);
  const row = (i: number): number[] => {
    const axis = r.slice(3 * i, 3 * i + 3);
    return [...axis, -(axis[0]! * centre[0] + axis[1]! * centre[1] + axis[2]! * centre[2])];
  };
  return { ...camera, extrinsics: Float64Array.from([...row(0), ...row(1), ...row(2)]) };
}

export function distanceOf(one: Vector, other: Vector): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

export function dot(one: Vector, other: Vector): number {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

export function unit(v: Vector): Vector {
  const length = Math.hypot(...v) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}

/** Into what a cosine can be. */
export function clamp(cosine: number): number {
  return Math.max(-1, Math.min(1, cosine));
}
