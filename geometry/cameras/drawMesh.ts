import type { Mesh } from '../mesh/mesh.js';
import { vertexNormals } from '../mesh/normals.js';
import { projectPoints, scaleIntrinsics, type Camera } from './camera.js';
import { createRaster, interpolateAttributes, rasterizeTriangles } from './rasterizer.js';

/** How a mesh is shown. Colours are RGB in [0, 255]. */
export interface Look {
  readonly background: readonly [number, number, number];
  /** Colour of meshes that have none of their own. */
  readonly plain: readonly [number, number, number];
  /** The share of light that comes from everywhere; the rest comes from the camera. In [0, 1]. */
  readonly ambient: number;
  /** Whether what looks away from the camera, the inside, is lit like the outside. */
  readonly bothSides: boolean;
  /** Every pixel is the mean of so many by so many. */
  readonly supersampling: number;
}

/** An 8-bit colour image: `[height, width, 3]`, row by row from the top. */
export interface DrawnMesh {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Draws a mesh as a camera sees it, lit from the camera.
 *
 * @param colours `[L, 3]` of the vertices; plain if left out.
 * @returns of the camera's size; the caller's.
 */
export function drawMesh(camera: Camera, mesh: Mesh, look: Look, colours?: Float32Array): DrawnMesh {
  const { background, supersampling } = look;
  const width = camera.width * supersampling;
  const height = camera.height * supersampling;
  const intrinsics = scaleIntrinsics(camera.intrinsics, supersampling);
  const raster = createRaster(width, height);
  rasterizeTriangles(raster, projectPoints({ ...camera, width, height, intrinsics }, mesh.vertices), mesh.faces, {
    perspective: true,
  });
  const picture = interpolateAttributes(raster, mesh.faces, litColours(camera, mesh, look, colours), 3, -1);
  const data = new Uint8Array(3 * camera.width * camera.height);
  const parts = supersampling ** 2;
  for (let row = 0; row < camera.height; row++) {
    for (let column = 0; column < camera.width; column++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let y = row * supersampling; y < (row + 1) * supersampling; y++) {
          const from = 3 * (y * width + column * supersampling) + channel;
          for (let at = from; at < from + 3 * supersampling; at += 3) {
            const value = picture[at]!;
            sum += value < 0 ? background[channel]! : value;
          }
        }
        data[3 * (row * camera.width + column) + channel] = Math.round(sum / parts);
      }
    }
  }
  return { width: camera.width, height: camera.height, data };
}

/** How much each vertex's surface looks at the camera. `[L]`: 1 straight at it, 0 across, −1 away from it. */
export function towardsCamera(camera: Camera, mesh: Mesh): Float32Array {
  const normals = vertexNormals(mesh);
  // The camera's forward axis in the world is the third row of its rotation.
  const [forwardX, forwardY, forwardZ] = [camera.extrinsics[8]!, camera.extrinsics[9]!, camera.extrinsics[10]!];
  const towards = new Float32Array(mesh.vertices.length / 3);
  for (let i = 0; i < towards.length; i++) {
    const [x, y, z] = [normals[3 * i]!, normals[3 * i + 1]!, normals[3 * i + 2]!];
    towards[i] = -(x * forwardX + y * forwardY + z * forwardZ);
  }
  return towards;
}

function litColours(camera: Camera, mesh: Mesh, look: Look, colours: Float32Array | undefined): Float32Array {
  const { plain, ambient, bothSides } = look;
  const lit = new Float32Array(mesh.vertices.length);
  towardsCamera(camera, mesh).forEach((towards, vertex) => {
    const light = ambient + (1 - ambient) * (bothSides ? Math.abs(towards) : Math.max(0, towards));
    for (let channel = 0; channel < 3; channel++) {
      const colour = colours ? colours[3 * vertex + channel]! : plain[channel]!;
      lit[3 * vertex + channel] = light * Math.min(255, Math.max(0, colour));
    }
  });
  return lit;
}
