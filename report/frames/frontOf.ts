/**
 * The rotation after which a face looks along +z, with the world's y axis up.
 *
 * @param direction where the face looks, in the world; any length. Straight up or down, z takes its place.
 * @returns a unit quaternion (x, y, z, w).
 */
export function frontOf(direction: readonly [number, number, number]): [number, number, number, number] {
  const length = Math.hypot(...direction);
  const usable = length > 0 && Math.abs(direction[1]) < 0.95 * length;
  const [x, , z] = usable ? direction : [0, 0, 1];
  // About y, so that the direction comes to lie over +z, then about x by its height.
  const aboutY = -Math.atan2(x, z) / 2;
  const aboutX = usable ? Math.asin(direction[1] / length) / 2 : 0;
  const [sinY, cosY, sinX, cosX] = [Math.sin(aboutY), Math.cos(aboutY), Math.sin(aboutX), Math.cos(aboutX)];
  return [sinX * cosY, cosX * sinY, sinX * sinY, cosX * cosY];
}
