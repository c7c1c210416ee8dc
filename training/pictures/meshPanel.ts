import type { RgbImage } from '../../datasets/formats/images/image.js';
import { projectPoints, type Camera } from '../../geometry/cameras/camera.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';
import { createRaster, interpolateAttributes, rasterizeTriangles } from '../../geometry/cameras/rasterizer.js';

const white = 1;
const grey = 0.78;
const ambient = 0.3;

/**
 * A mesh as a camera sees it, lit from where the camera is, on white.
 *
 * @param colours - of the vertices, `[L, 3]` in [0, 1]; grey if left out.
 */
export function meshPanel(mesh: Mesh, camera: Camera, colours?: Float32Array): RgbImage {
  const { width, height } = camera;
  const raster = createRaster(width, height);
  rasterizeTriangles(raster, projectPoints(camera, mesh.vertices), mesh.faces, { perspective: true });
  const picture = interpolateAttributes(raster, mesh.faces, shade(mesh, camera, colours), 3, white);
  return {
    width,
    height,
    data: Uint8Array.from(picture, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
  };
}

function shade(mesh: Mesh, camera: Camera, colours: Float32Array | undefined): Float32Array {
  const normals = vertexNormals(mesh);
  const e = camera.extrinsics;
  const shaded = new Float32Array(mesh.vertices.length);
  for (let i = 0; i < shaded.length; i += 3) {
    // The camera looks along the third row of its rotation.
    const facing = Math.abs(normals[i]! * e[8]! + normals[i + 1]! * e[9]! + normals[i + 2]! * e[10]!);
    const light = ambient + (1 - ambient) * facing;
    for (let channel = 0; channel < 3; channel++) {
      shaded[i + channel] = light * (colours ? colours[i + channel]! : grey);
    }
  }
  return shaded;
}
