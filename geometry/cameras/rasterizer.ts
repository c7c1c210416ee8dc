/** Pictures of what triangle covers each pixel, nearest first. Row-major, row 0 at the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** `[H, W]` depth of the nearest triangle, in the unit of the positions' third coordinate; Infinity where there is none. */
  readonly depth: Float32Array;
  /** `[H, W]` its face index, −1 where there is none. */
  readonly faceIndices: Int32Array;
  /** `[H, W, 3]` weights of its three corners in the pixel's centre; left as they are where there is none. */
  readonly barycentric: Float32Array;
}

/** An empty raster. 20 bytes a pixel; reuse it with `clearRaster`. */
export function createRaster(width: number, height: number): Raster {
  const raster: Raster = {
    width,
    height,
    depth: new Float32Array(width * height),
    faceIndices: new Int32Array(width * height),
    barycentric: new Float32Array(3 * width * height),
  };
  clearRaster(raster);
  return raster;
}

/** Makes every pixel empty again. */
export function clearRaster(raster: Raster): void {
  raster.depth.fill(Infinity);
  raster.faceIndices.fill(-1);
}

/**
 * Draws triangles with a z-buffer. The nearest wins a pixel, of ties the one drawn first, which is the lowest index; a
 * pixel is covered when its centre is inside or on the edge; both sides of a triangle are drawn (method 3.2).
 *
 * @param positions `[N, 3]` x, y, depth. The centre of the pixel in row h, column w is at x = w, y = h.
 * @param faces `[F, 3]`.
 * @param options.perspective true: depths are camera depths, weights and depth are perspective-correct, and triangles that
 *   reach behind the camera are left out. False (default): everything is linear in the picture's plane.
 */
export function rasterizeTriangles(
  raster: Raster,
  positions: Float64Array | Float32Array,
  faces: Uint32Array,
  options: { readonly perspective?: boolean } = {},
): void {
  const { width, height, depth, faceIndices, barycentric } = raster;
  const perspective = options.perspective === true;
  for (let i = 0; i < faces.length; i += 3) {
    const a = 3 * faces[i]!;
    const b = 3 * faces[i + 1]!;
    const c = 3 * faces[i + 2]!;
    const aX = positions[a]!;
    const aY = positions[a + 1]!;
    const aZ = positions[a + 2]!;
    const abX = positions[b]! - aX;
    const abY = positions[b + 1]! - aY;
    const bZ = positions[b + 2]!;
    const acX = positions[c]! - aX;
    const acY = positions[c + 1]! - aY;
    const cZ = positions[c + 2]!;
    const twiceArea = abX * acY - abY * acX;
    // Seen edge-on, or not finite.
    if (!(Math.abs(twiceArea) > 0 && Math.abs(twiceArea) < Infinity)) continue;
    if (perspective && !(aZ > 0 && bZ > 0 && cZ > 0)) continue;
    const firstRow = Math.max(0, Math.ceil(aY + Math.min(0, abY, acY)));
    const lastRow = Math.min(height - 1, Math.floor(aY + Math.max(0, abY, acY)));
    const firstColumn = Math.max(0, Math.ceil(aX + Math.min(0, abX, acX)));
    const lastColumn = Math.min(width - 1, Math.floor(aX + Math.max(0, abX, acX)));
    const scale = 1 / twiceArea;
    for (let row = firstRow; row <= lastRow; row++) {
      const y = row - aY;
      for (let column = firstColumn; column <= lastColumn; column++) {
        const x = column - aX;
        let weightB = (x * acY - y * acX) * scale;
        let weightC = (y * abX - x * abY) * scale;
        let weightA = 1 - weightB - weightC;
        if (weightA < 0 || weightB < 0 || weightC < 0) continue;
        let z: number;
        if (perspective) {
          // 1 / z is linear in the picture's plane; a corner's weight on the surface is its weight there times z / z(corner).
          z = 1 / (weightA / aZ + weightB / bZ + weightC / cZ);
          weightA *= z / aZ;
          weightB *= z / bZ;
          weightC *= z / cZ;
        } else {
          z = weightA * aZ + weightB * bZ + weightC * cZ;
        }
        const pixel = row * width + column;
        // Rounded before comparing, as what it is compared with was: else a tie would depend on rounding.
        if (!(Math.fround(z) < depth[pixel]!)) continue;
        depth[pixel] = z;
        faceIndices[pixel] = i / 3;
        barycentric[3 * pixel] = weightA;
        barycentric[3 * pixel + 1] = weightB;
        barycentric[3 * pixel + 2] = weightC;
      }
    }
  }
}

/**
 * Interpolates attributes of the vertices over a raster: colours, normals, texture coordinates, world positions.
 *
 * @param attributes `[N, C]`.
 * @param channels C.
 * @param background value of every channel in empty pixels.
 * @returns `[H, W, C]`; the caller's.
 */
export function interpolateAttributes(
  raster: Raster,
  faces: Uint32Array,
  attributes: Float32Array,
  channels: number,
  background = 0,
): Float32Array {
  const picture = new Float32Array(raster.faceIndices.length * channels).fill(background);
  for (let pixel = 0; pixel < raster.faceIndices.length; pixel++) {
    const face = raster.faceIndices[pixel]!;
    if (face < 0) continue;
    const weightA = raster.barycentric[3 * pixel]!;
    const weightB = raster.barycentric[3 * pixel + 1]!;
    const weightC = raster.barycentric[3 * pixel + 2]!;
    const a = channels * faces[3 * face]!;
    const b = channels * faces[3 * face + 1]!;
    const c = channels * faces[3 * face + 2]!;
    for (let channel = 0; channel < channels; channel++) {
      picture[pixel * channels + channel] =
        weightA * attributes[a + channel]! + weightB * attributes[b + channel]! + weightC * attributes[c + channel]!;
    }
  }
  return picture;
}
