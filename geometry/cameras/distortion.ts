/** What a `.tka` calibration says about radial distortion, after division by the resize factor r (method 1). */
export interface TsaiDistortion {
  /** Tsai's radial coefficients as stored: `K`, `K2`. */
  readonly k: number;
  readonly k2: number;
  /** Focal length in mm, already divided by the resize factor. */
  readonly focalLength: number;
  /** Image size, px, integer-divided by the resize factor. */
  readonly width: number;
  readonly height: number;
  /** Focal lengths in px: f / x and f / y with f divided by the resize factor. */
  readonly focalX: number;
  readonly focalY: number;
}

/**
 * Tsai's model undistorts (distorted to undistorted); sampling images needs the other direction. Over 100 radii up to
 * the image's diagonal, the forward coefficients are the least-squares fit of r/u − 1 on (u², u⁴), where
 * u = r (1 + K f² r² + K2 f⁴ r⁴) (method 1).
 *
 * @returns k1, k2 of `Camera.distortion`.
 */
export function fitForwardDistortion(tsai: TsaiDistortion): [number, number] {
  const inward1 = tsai.k * tsai.focalLength ** 2;
  const inward2 = tsai.k2 * tsai.focalLength ** 4;
  if (inward1 === 0 && inward2 === 0) return [0, 0];
  const largest = Math.hypot(tsai.width / tsai.focalX, tsai.height / tsai.focalY);
  // Normal equations of two unknowns in units of the largest radius, where both columns are of order one.
  let s11 = 0;
  let s12 = 0;
  let s22 = 0;
  let b1 = 0;
  let b2 = 0;
  for (let i = 1; i <= 100; i++) {
    const radius = (i / 100) * largest;
    const undistorted = radius * (1 + radius ** 2 * (inward1 + inward2 * radius ** 2));
    const square = (undistorted / largest) ** 2;
    const fourth = square ** 2;
    const target = radius / undistorted - 1;
    s11 += square * square;
    s12 += square * fourth;
    s22 += fourth * fourth;
    b1 += square * target;
    b2 += fourth * target;
  }
  const determinant = s11 * s22 - s12 * s12;
  const k1 = (s22 * b1 - s12 * b2) / determinant / largest ** 2;
  const k2 = (s11 * b2 - s12 * b1) / determinant / largest ** 4;
  return [k1, k2];
}
