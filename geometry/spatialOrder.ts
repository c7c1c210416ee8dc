/**
 * An order of points in which neighbours are near in space (Morton order over their bounding box, 10 bits an axis).
 *
 * @param points `[N, 3]`.
 * @returns `[N]` indices; points whose coordinates are not finite come in any place.
 */
export function spatialOrder(points: Float32Array): Uint32Array {
  const count = points.length / 3;
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    const axis = i % 3;
    const value = points[i]!;
    if (value < low[axis]!) low[axis] = value;
    if (value > high[axis]!) high[axis] = value;
  }
  const extent = Math.max(high[0]! - low[0]!, high[1]! - low[1]!, high[2]! - low[2]!);
  const scale = extent > 0 ? 1023 / extent : 0;
  // Code and index as one number below 2^53, sorted natively.
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const x = spread((points[3 * i]! - low[0]!) * scale);
    const y = spread((points[3 * i + 1]! - low[1]!) * scale);
    const z = spread((points[3 * i + 2]! - low[2]!) * scale);
    keys[i] = (x | (y << 1) | (z << 2)) * 4194304 + i;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => key % 4194304);
}

/** Puts two zero bits between each two of the ten lowest bits. */
function spread(value: number): number {
  let bits = value & 1023;
  bits = (bits | (bits << 16)) & 0x030000ff;
  bits = (bits | (bits << 8)) & 0x0300f00f;
  bits = (bits | (bits << 4)) & 0x030c30c3;
  return (bits | (bits << 2)) & 0x09249249;
}
