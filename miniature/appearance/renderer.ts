import { cameraCentre, projectPoints, type Camera } from '../../geometry/cameras/camera.js';
import { clearRaster, createRaster, rasterizeTriangles, type Raster } from '../../geometry/cameras/rasterizer.js';
import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import type { FineSurface, PosedSurface } from '../head/fineSurface.js';
import { surfaceShader } from './shader.js';
import type { Texture } from './textures.js';

/** How a view is drawn. */
export interface RenderOptions {
  /** Rendered pixels a picture's pixel, each way, that are averaged. */
  readonly supersampling: number;
  readonly grey: boolean;
}

/**
 * Renders the textured, shaded surface as a camera sees it, radial distortion included; anti-aliased by averaging
 * rendered pixels in linear light.
 *
 * @param camera of the picture that is wanted: its width and height are the picture's.
 * @param textures one a part: skin, left eyeball, right eyeball.
 */
export function renderView(
  camera: Camera,
  fine: FineSurface,
  posed: PosedSurface,
  textures: readonly Texture[],
  options: RenderOptions,
): RgbImage {
  const { supersampling: s } = options;
  const raster = emptyRaster(camera.width * s, camera.height * s);
  const projected = projectPoints(camera, posed.vertices);
  // A camera's first pixel reaches from 0 to 1, the rasterizer's has its centre at 0.
  for (let i = 0; i < projected.length; i += 3) {
    projected[i] = projected[i]! * s - 0.5;
    projected[i + 1] = projected[i + 1]! * s - 0.5;
  }
  rasterizeTriangles(raster, projected, fine.faces, { perspective: true });

  const data = new Uint8Array(3 * camera.width * camera.height);
  const shade = surfaceShader(fine, posed, textures, cameraCentre(camera));
  const colour = new Float64Array(3);
  const sum = new Float64Array(3);
  for (let row = 0; row < camera.height; row++) {
    for (let column = 0; column < camera.width; column++) {
      sum.fill(0);
      let empty = 0;
      for (let sub = 0; sub < s * s; sub++) {
        const pixel = (row * s + Math.floor(sub / s)) * raster.width + column * s + (sub % s);
        const face = raster.faceIndices[pixel]!;
        if (face < 0) {
          empty++;
          continue;
        }
        shade(face, raster.barycentric[3 * pixel]!, raster.barycentric[3 * pixel + 1]!, colour);
        sum[0]! += colour[0]!;
        sum[1]! += colour[1]!;
        sum[2]! += colour[2]!;
      }
      if (empty > 0) addBackground(sum, empty, (row + 0.5) / camera.height);
      writePixel(data, 3 * (row * camera.width + column), sum, s * s, options.grey);
    }
  }
  return { width: camera.width, height: camera.height, data };
}

let kept: Raster | undefined;

/** One raster is kept: a view takes megabytes, and there are thousands. */
function emptyRaster(width: number, height: number): Raster {
  if (kept?.width !== width || kept.height !== height) kept = createRaster(width, height);
  else clearRaster(kept);
  return kept;
}

/** A dim wall, darker towards the floor; `height` is 0 at the picture's top, 1 at its bottom. */
function addBackground(sum: Float64Array, times: number, height: number): void {
  const light = times * (0.075 - 0.045 * height);
  sum[0]! += light * 0.9;
  sum[1]! += light;
  sum[2]! += light * 1.15;
}

/** Linear light to sRGB bytes, by a table of 4096 steps. */
const gamma = Uint8Array.from({ length: 4097 }, (_, i) => {
  const linear = i / 4096;
  const encoded = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, encoded));
});

function writePixel(data: Uint8Array, at: number, sum: Float64Array, count: number, grey: boolean): void {
  const luminance = 0.2126 * sum[0]! + 0.7152 * sum[1]! + 0.0722 * sum[2]!;
  for (let channel = 0; channel < 3; channel++) {
    const linear = (grey ? luminance : sum[channel]!) / count;
    data[at + channel] = gamma[Math.min(4096, Math.max(0, Math.round(4096 * linear)))]!;
  }
}
