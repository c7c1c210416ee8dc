import { type Camera, projectPoints } from './camera.js';
import type { Mesh } from '../mesh/mesh.js';
import { clearRaster, createRaster, rasterizeTriangles, type Raster } from './rasterizer.js';

/** Side of the depth picture, px (method 3.2). */
const defaultResolution = 200;
/** How far behind the depth picture, in shares of the view's depth range, a vertex still counts as seen. */
const tolerance = 3e-3;

/** The sigmoid of 100 · visibility (method 3.2): 1 for visible vertices and 0.5 for hidden ones, to float32's last digit. */
const visibleWeight = 1;
const hiddenWeight = 0.5;

/**
 * Which vertices each view sees (method 3.2), by comparison with a square depth picture that the mesh fills.
 * Radial distortion is left out.
 *
 * @param cameras V views, with the intrinsics of the images that the network gets (in training the augmented ones).
 * @param resolution side of the depth picture, px.
 * @returns `[V, L]`, 1 visible, 0 hidden. The caller's.
 * @throws RangeError when a vertex is not finite.
 */
export function visibleVertices(mesh: Mesh, cameras: readonly Camera[], resolution = defaultResolution): Uint8Array {
  const vertexCount = mesh.vertices.length / 3;
  const visible = new Uint8Array(cameras.length * vertexCount);
  const raster = createRaster(resolution, resolution);
  for (const [view, camera] of cameras.entries()) {
    const positions = depthPicturePositions(mesh, camera, resolution);
    clearRaster(raster);
    rasterizeTriangles(raster, positions, mesh.faces);
    for (let vertex = 0; vertex < vertexCount; vertex++) {
      const nearness = sampleNearness(raster, positions[3 * vertex]!, positions[3 * vertex + 1]!);
      if (positions[3 * vertex + 2]! - tolerance <= 1 - nearness) visible[view * vertexCount + vertex] = 1;
    }
  }
  return visible;
}

/**
 * The weight of each vertex in each view by visibility, as the surface-aware fusion uses it (method 3.2 and 3.4).
 *
 * @returns `[V, L]`, 1 visible, 0.5 hidden. The caller's.
 */
export function visibilityWeights(
  mesh: Mesh,
  cameras: readonly Camera[],
  resolution = defaultResolution,
): Float32Array {
  return Float32Array.from(visibleVertices(mesh, cameras, resolution), (seen) =>
    seen === 1 ? visibleWeight : hiddenWeight,
  );
}

/**
 * The depth picture behind `visibleVertices`: 1 − depth, 0 where there is no surface.
 *
 * @returns `[resolution, resolution]`; the caller's.
 */
export function nearnessPicture(mesh: Mesh, camera: Camera, resolution = defaultResolution): Float32Array {
  const raster = createRaster(resolution, resolution);
  rasterizeTriangles(raster, depthPicturePositions(mesh, camera, resolution), mesh.faces);
  return raster.depth.map((depth) => (depth === Infinity ? 0 : 1 - depth));
}

/**
 * Vertices in the depth picture: x and y in its pixels, centred at the middle of their floor/ceil bounding box and
 * scaled by 2 / its larger side to [−1, 1]; depth from 0 at floor(nearest) to 1 at ceil(farthest).
 */
function depthPicturePositions(mesh: Mesh, camera: Camera, resolution: number): Float64Array {
  const positions = projectPoints(camera, mesh.vertices, { distort: false });
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i++) {
    const axis = i % 3;
    const value = positions[i]!;
    if (!Number.isFinite(value)) {
      throw new RangeError(`visibility in view ${camera.name}: vertex ${Math.floor(i / 3)} is not finite`);
    }
    if (value < low[axis]!) low[axis] = value;
    if (value > high[axis]!) high[axis] = value;
  }
  const floor = low.map(Math.floor);
  const ceil = high.map(Math.ceil);
  const extent = Math.max(ceil[0]! - floor[0]!, ceil[1]! - floor[1]!, 1);
  const depthRange = Math.max(ceil[2]! - floor[2]!, 1);
  const middleX = (floor[0]! + ceil[0]!) / 2;
  const middleY = (floor[1]! + ceil[1]!) / 2;
  // From [−1, 1] to pixels: the pixel in column w is at (2 w + 1 − resolution) / resolution.
  const scale = resolution / extent;
  const middle = (resolution - 1) / 2;
  for (let i = 0; i < positions.length; i += 3) {
    positions[i] = (positions[i]! - middleX) * scale + middle;
    positions[i + 1] = (positions[i + 1]! - middleY) * scale + middle;
    positions[i + 2] = (positions[i + 2]! - floor[2]!) / depthRange;
  }
  return positions;
}

/** Bilinear sample of 1 − depth, zero where the picture is empty and outside of it. */
function sampleNearness(raster: Raster, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const right = x - column;
  const below = y - row;
  return (
    nearness(raster, row, column) * (1 - right) * (1 - below) +
    nearness(raster, row, column + 1) * right * (1 - below) +
    nearness(raster, row + 1, column) * (1 - right) * below +
    nearness(raster, row + 1, column + 1) * right * below
  );
}

function nearness(raster: Raster, row: number, column: number): number {
  if (row < 0 || column < 0 || row >= raster.height || column >= raster.width) return 0;
  const depth = raster.depth[row * raster.width + column]!;
  return depth === Infinity ? 0 : 1 - depth;
}
