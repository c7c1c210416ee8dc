import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import { scaleIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import { drawMesh, type Look } from '../../geometry/cameras/drawMesh.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { colourOfError } from './colours.js';

/** In light and dark pages alike. */
const look: Look = {
  background: [32, 36, 43],
  plain: [196, 190, 184],
  ambient: 0.35,
  bothSides: false,
  supersampling: 2,
};

/**
 * Draws a mesh as a camera sees it, as reports show it.
 *
 * @param colours `[L, 3]` RGB in [0, 255] of the vertices; plain by default.
 * @returns of the camera's size; the caller's.
 */
export function renderMesh(camera: Camera, mesh: Mesh, colours?: Float32Array): RgbImage {
  return drawMesh(camera, mesh, look, colours);
}

/** Colours of the error scale. @param errors `[L]`, mm; NaN: unmeasured. @returns `[L, 3]`; the caller's. */
export function errorVertexColours(errors: Float32Array, largest: number): Float32Array {
  const colours = new Float32Array(3 * errors.length);
  errors.forEach((error, vertex) => colours.set(colourOfError(error, largest), 3 * vertex));
  return colours;
}

/** A camera whose image is scaled to about this width, px. */
export function withWidth(camera: Camera, width: number): Camera {
  const scale = width / camera.width;
  const height = Math.round(camera.height * scale);
  return { ...camera, width, height, intrinsics: scaleIntrinsics(camera.intrinsics, scale, height / camera.height) };
}
