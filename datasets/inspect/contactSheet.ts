import { projectPoints, scaleIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import { towardsCamera } from '../../geometry/cameras/drawMesh.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { createRaster, interpolateAttributes, rasterizeTriangles } from '../../geometry/cameras/rasterizer.js';
import type { RgbImage } from '../formats/images/rgbImage.js';
import { resizeImage } from '../images/floatImage.js';
import { frameName } from '../layout.js';
import { Drawing, type Colour } from '../pictures/drawing.js';
import type { Sample, SampleView, Split } from '../types.js';

const background: Colour = [24, 27, 33];
const words: Colour = [220, 224, 230];
const meshColour: Colour = [70, 190, 255];
/** Colours of points near to the camera, and of far ones. */
const scanColours: readonly [Colour, Colour] = [
  [255, 205, 80],
  [170, 60, 60],
];
/** Opacity of the mesh over its view. */
const opacity = 0.6;
/** Rows of tiles a row of views: the view, the registration over it, the scan over it. */
const layers = 3;
const gap = 4;
const titleHeight = 28;
/** Size of the font, pixels. */
const fontSize = 15;

/** A frame of a sheet. */
export interface SheetFrame {
  readonly split: Split;
  readonly sample: Sample;
}

export interface SheetOptions {
  readonly faces: Uint32Array;
  /** Width of a view, px. */
  readonly tileWidth?: number;
  /** Views a row. */
  readonly columns?: number;
}

/**
 * Frames one below the other: the views side by side, landscape, as the networks see them, and below each the same with
 * the registration drawn over it, and then with the scan's points over it, through the camera's calibration. A registration
 * or a scan that does not cover the face says that it, the calibration or the image are not of the same moment, unit or world.
 *
 * @returns a PNG.
 */
export function contactSheet(frames: readonly SheetFrame[], options: SheetOptions): Promise<Buffer> {
  const { tileWidth = 240, columns = 8 } = options;
  const blocks = frames.map(({ sample }) => {
    const first = sample.views[0]?.camera;
    const tileHeight = first ? Math.round((tileWidth * first.height) / first.width) : 0;
    const rows = Math.ceil(sample.views.length / columns);
    return { tileHeight, height: titleHeight + rows * layers * (tileHeight + gap) + gap };
  });
  const across = Math.min(columns, Math.max(1, ...frames.map(({ sample }) => sample.views.length)));
  const height = blocks.reduce((sum, block) => sum + block.height, gap);
  const drawing = new Drawing(across * (tileWidth + gap) + gap, height, background);
  let top = gap;
  frames.forEach(({ split, sample }, index) => {
    const { tileHeight, height: blockHeight } = blocks[index]!;
    const without = sample.vertices ? '' : '  (no registration)';
    const noScan = sample.scanPoints.length > 0 ? '' : '  (no scan)';
    drawing.text(gap, top + 5, `${split}  ${frameName(sample.id)}${without}${noScan}`, words, fontSize);
    sample.views.forEach((view, i) => {
      const left = gap + (i % columns) * (tileWidth + gap);
      const y = top + titleHeight + Math.floor(i / columns) * layers * (tileHeight + gap);
      const tile = scaledView(view, tileWidth, tileHeight);
      drawing.image(left, y, tile.image);
      const over = sample.vertices
        ? withMesh(tile.image, tile.camera, { vertices: sample.vertices, faces: options.faces })
        : tile.image;
      drawing.image(left, y + tileHeight + gap, over);
      drawing.image(left, y + 2 * (tileHeight + gap), withPoints(tile.image, tile.camera, sample.scanPoints));
      drawing.text(left + 4, y + 3, view.camera.name, [0, 0, 0], fontSize);
      drawing.text(left + 3, y + 2, view.camera.name, words, fontSize);
    });
    top += blockHeight;
  });
  return drawing.png();
}

function scaledView({ camera, image }: SampleView, width: number, height: number): { camera: Camera; image: RgbImage } {
  const scaled = resizeImage({ width: camera.width, height: camera.height, data: image }, width, height);
  const intrinsics = scaleIntrinsics(camera.intrinsics, width / camera.width, height / camera.height);
  const data = Uint8Array.from(scaled.data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { camera: { ...camera, width, height, intrinsics }, image: { width, height, data } };
}

/** A view with a mesh over it, lit from the camera, its far side hidden. */
function withMesh(image: RgbImage, camera: Camera, mesh: Mesh): RgbImage {
  const { width, height } = image;
  const data = Uint8Array.from(image.data);
  const raster = createRaster(width, height);
  rasterizeTriangles(raster, projectPoints(camera, mesh.vertices), mesh.faces, { perspective: true });
  const facing = towardsCamera(camera, mesh).map((towards) => Math.max(0, towards));
  const light = interpolateAttributes(raster, mesh.faces, facing, 1, -1);
  for (let pixel = 0; pixel < light.length; pixel++) {
    const towards = light[pixel]!;
    if (towards < 0) continue;
    const shade = 0.15 + 0.85 * towards ** 2;
    const colour: Colour = [shade * meshColour[0], shade * meshColour[1], shade * meshColour[2]];
    blend(data, pixel, colour, opacity);
  }
  return { width, height, data };
}

/** A view with points over it: of those that fall on a pixel the nearest, brighter the nearer. */
function withPoints(image: RgbImage, camera: Camera, points: Float32Array): RgbImage {
  const { width, height } = image;
  const data = Uint8Array.from(image.data);
  const projected = projectPoints(camera, points);
  const depths = new Float32Array(width * height).fill(Infinity);
  let [nearest, furthest] = [Infinity, -Infinity];
  for (let i = 0; i < projected.length; i += 3) {
    const [x, y, depth] = [Math.round(projected[i]!), Math.round(projected[i + 1]!), projected[i + 2]!];
    if (!(depth > 0 && x >= 0 && y >= 0 && x < width && y < height)) continue;
    depths[y * width + x] = Math.min(depths[y * width + x]!, depth);
    [nearest, furthest] = [Math.min(nearest, depth), Math.max(furthest, depth)];
  }
  const [near, far] = scanColours;
  depths.forEach((depth, pixel) => {
    if (depth === Infinity) return;
    const share = furthest > nearest ? (depth - nearest) / (furthest - nearest) : 0;
    const colour = near.map((value, i) => value + share * (far[i]! - value)) as unknown as Colour;
    blend(data, pixel, colour, 0.9);
  });
  return { width, height, data };
}

/** @param opacity 0 leaves the pixel as it is. */
function blend(data: Uint8Array, pixel: number, colour: Colour, opacity: number): void {
  for (let channel = 0; channel < 3; channel++) {
    const at = 3 * pixel + channel;
    data[at] = Math.round(data[at]! + opacity * (colour[channel]! - data[at]!));
  }
}
