/** What `writeSpatialOrder` works in; of one thread. */
export interface OrderScratch {
  readonly keys: Uint32Array;
  readonly otherKeys: Uint32Array;
  readonly otherOrder: Uint32Array;
}

/** Arrays for ordering up to `count` points, to be used again. */
export function orderScratch(count: number): OrderScratch {
  return {
    keys: new Uint32Array(count),
    otherKeys: new Uint32Array(count),
    otherOrder: new Uint32Array(count),
  };
}

/**
 * An order of points in which neighbours are near in space (Morton order over their bounding box, 10 bits an axis).
 *
 * @param points `[N, 3]`.
 * @returns `[N]` indices; points whose coordinates are not finite come in any place.
 */
export function spatialOrder(points: Float32Array): Uint32Array {
  const order = new Uint32Array(points.length / 3);
  writeSpatialOrder(points, order, orderScratch(order.length));
  return order;
}

/**
 * As `spatialOrder`, into memory that exists already.
 *
 * @param order `[N]`. @param scratch of at least N points.
 */
export function writeSpatialOrder(points: Float32Array, order: Uint32Array, scratch: OrderScratch): void {
  const count = order.length;
  writeKeys(points, count, scratch.keys);
  for (let i = 0; i < count; i++) order[i] = i;
  // Three stable passes of ten bits each: sorted by key, then by index.
  let [keys, indices] = [scratch.keys, order];
  let [otherKeys, otherIndices] = [scratch.otherKeys, scratch.otherOrder];
  const starts = new Uint32Array(1024);
  for (let shift = 0; shift < 30; shift += 10) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(keys[i]! >>> shift) & 1023]!++;
    let sum = 0;
    for (let digit = 0; digit < 1024; digit++) {
      const digits = starts[digit]!;
      starts[digit] = sum;
      sum += digits;
    }
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      const to = starts[(key >>> shift) & 1023]!++;
      otherKeys[to] = key;
      otherIndices[to] = indices[i]!;
    }
    [keys, otherKeys] = [otherKeys, keys];
    [indices, otherIndices] = [otherIndices, indices];
  }
  if (indices !== order) order.set(indices.subarray(0, count));
}

function writeKeys(points: Float32Array, count: number, keys: Uint32Array): void {
  let lowX = Infinity;
  let lowY = Infinity;
  let lowZ = Infinity;
  let highX = -Infinity;
  let highY = -Infinity;
  let highZ = -Infinity;
  for (let i = 0; i < 3 * count; i += 3) {
    const x = points[i]!;
    const y = points[i + 1]!;
    const z = points[i + 2]!;
    if (x < lowX) lowX = x;
    if (x > highX) highX = x;
    if (y < lowY) lowY = y;
    if (y > highY) highY = y;
    if (z < lowZ) lowZ = z;
    if (z > highZ) highZ = z;
  }
  const extent = Math.max(highX - lowX, highY - lowY, highZ - lowZ);
  const scale = extent > 0 ? 1023 / extent : 0;
  for (let i = 0; i < count; i++) {
    const x = spread((points[3 * i]! - lowX) * scale);
    const y = spread((points[3 * i + 1]! - lowY) * scale);
    const z = spread((points[3 * i + 2]! - lowZ) * scale);
    keys[i] = x | (y << 1) | (z << 2);
  }
}

/** Puts two zero bits between each two of the ten lowest bits. */
function spread(value: number): number {
  let bits = value & 1023;
  bits = (bits | (bits << 16)) & 0x030000ff;
  bits = (bits | (bits << 8)) & 0x0300f00f;
  bits = (bits | (bits << 4)) & 0x030c30c3;
  return (bits | (bits << 2)) & 0x09249249;
}
