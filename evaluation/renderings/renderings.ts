import type { RgbImage } from '../../datasets/formats/images/image.js';
import { projectPoints, scaleIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';
import { createRaster, interpolateAttributes, rasterizeTriangles } from '../../geometry/cameras/rasterizer.js';
import { colourOfError } from './colours.js';

/** Behind a rendered head, in light and dark pages alike. RGB in [0, 255]. */
const background = [32, 36, 43] as const;
const skin = [196, 190, 184] as const;
/** Every pixel is the mean of so many by so many. */
const supersampling = 2;

/**
 * Draws a mesh as a camera sees it, lit from the camera.
 *
 * @param colours `[L, 3]` RGB in [0, 255] of the vertices; plain by default.
 * @returns of the camera's size; the caller's.
 */
export function renderMesh(camera: Camera, mesh: Mesh, colours?: Float32Array): RgbImage {
  const width = camera.width * supersampling;
  const height = camera.height * supersampling;
  const intrinsics = scaleIntrinsics(camera.intrinsics, supersampling);
  const raster = createRaster(width, height);
  rasterizeTriangles(raster, projectPoints({ ...camera, width, height, intrinsics }, mesh.vertices), mesh.faces, {
    perspective: true,
  });
  const picture = interpolateAttributes(raster, mesh.faces, litColours(camera, mesh, colours), 3, -1);
  const data = new Uint8Array(3 * camera.width * camera.height);
  for (let row = 0; row < camera.height; row++) {
    for (let column = 0; column < camera.width; column++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let part = 0; part < supersampling ** 2; part++) {
          const y = row * supersampling + Math.floor(part / supersampling);
          const value = picture[3 * (y * width + column * supersampling + (part % supersampling)) + channel]!;
          sum += value < 0 ? background[channel]! : value;
        }
        data[3 * (row * camera.width + column) + channel] = sum / supersampling ** 2;
      }
    }
  }
  return { width: camera.width, height: camera.height, data };
}

function litColours(camera: Camera, mesh: Mesh, colours: Float32Array | undefined): Float32Array {
  const normals = vertexNormals(mesh);
  // The camera's forward axis in the world is the third row of its rotation.
  const [forwardX, forwardY, forwardZ] = [camera.extrinsics[8]!, camera.extrinsics[9]!, camera.extrinsics[10]!];
  const lit = new Float32Array(mesh.vertices.length);
  for (let i = 0; i < lit.length; i += 3) {
    const facing = -(normals[i]! * forwardX + normals[i + 1]! * forwardY + normals[i + 2]! * forwardZ);
    const light = 0.35 + 0.65 * Math.max(0, facing);
    for (let channel = 0; channel < 3; channel++) {
      lit[i + channel] = light * (colours?.[i + channel] ?? skin[channel]!);
    }
  }
  return lit;
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
