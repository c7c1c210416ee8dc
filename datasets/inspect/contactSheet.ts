import { projectPoints, scaleIntrinsics, type Camera } from '../../geometry/camera.js';
import { vertexNormals } from '../../geometry/normals.js';
import type { Mesh } from '../../geometry/mesh.js';
import { createRaster, interpolateAttributes, rasterizeTriangles } from '../../geometry/rasterizer.js';
import type { RgbImage } from '../formats/image.js';
import { resizeImage } from '../images/floatImage.js';
import { frameName } from '../layout.js';
import { Canvas, type Colour } from '../pictures/canvas.js';
import type { Sample, SampleView, Split } from '../types.js';

const background: Colour = [24, 27, 33];
const words: Colour = [220, 224, 230];
const meshColour: Colour = [70, 190, 255];
/** Of the mesh over its view. */
const opacity = 0.6;
const gap = 4;
const titleHeight = 28;

/** A frame of a sheet. */
export interface SheetFrame {
  readonly split: Split;
  readonly sample: Sample;
}

export interface SheetOptions {
  readonly faces: Uint32Array;
  /** Of a view, px. */
  readonly tileWidth?: number;
  /** Views a row. */
  readonly columns?: number;
}

/**
 * Frames one below the other: the views side by side, landscape, as the networks see them, and below each the same with
 * the registration drawn over it, through the camera's calibration. A registration that does not cover the face says that
 * calibration, registration or image are not of the same moment, unit or world.
 */
export function contactSheet(frames: readonly SheetFrame[], options: SheetOptions): RgbImage {
  const { tileWidth = 240, columns = 8 } = options;
  const blocks = frames.map(({ sample }) => {
    const first = sample.views[0]?.camera;
    const tileHeight = first ? Math.round((tileWidth * first.height) / first.width) : 0;
    const rows = Math.ceil(sample.views.length / columns);
    return { tileHeight, height: titleHeight + rows * 2 * (tileHeight + gap) + gap };
  });
  const across = Math.min(columns, Math.max(1, ...frames.map(({ sample }) => sample.views.length)));
  const height = blocks.reduce((sum, block) => sum + block.height, gap);
  const canvas = new Canvas(across * (tileWidth + gap) + gap, height, background);
  let top = gap;
  frames.forEach(({ split, sample }, index) => {
    const { tileHeight, height: blockHeight } = blocks[index]!;
    const without = sample.vertices ? '' : '  (no registration)';
    canvas.text(gap, top + 7, `${split}  ${frameName(sample.id)}${without}`, words, 2);
    sample.views.forEach((view, i) => {
      const left = gap + (i % columns) * (tileWidth + gap);
      const y = top + titleHeight + Math.floor(i / columns) * 2 * (tileHeight + gap);
      const tile = scaledView(view, tileWidth, tileHeight);
      canvas.image(left, y, tile.image);
      const over = sample.vertices
        ? withMesh(tile.image, tile.camera, { vertices: sample.vertices, faces: options.faces })
        : tile.image;
      canvas.image(left, y + tileHeight + gap, over);
      canvas.text(left + 4, y + 4, view.camera.name, [0, 0, 0], 2);
      canvas.text(left + 3, y + 3, view.camera.name, words, 2);
    });
    top += blockHeight;
  });
  return canvas;
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
  const canvas = new Canvas(width, height, background);
  canvas.image(0, 0, image);
  const raster = createRaster(width, height);
  rasterizeTriangles(raster, projectPoints(camera, mesh.vertices), mesh.faces, { perspective: true });
  const normals = vertexNormals(mesh);
  const [forwardX, forwardY, forwardZ] = [camera.extrinsics[8]!, camera.extrinsics[9]!, camera.extrinsics[10]!];
  const facing = new Float32Array(mesh.vertices.length / 3);
  for (let i = 0; i < facing.length; i++) {
    const [x, y, z] = [normals[3 * i]!, normals[3 * i + 1]!, normals[3 * i + 2]!];
    facing[i] = Math.max(0, -(x * forwardX + y * forwardY + z * forwardZ));
  }
  const light = interpolateAttributes(raster, mesh.faces, facing, 1, -1);
  for (let pixel = 0; pixel < light.length; pixel++) {
    const towards = light[pixel]!;
    if (towards < 0) continue;
    const shade = 0.15 + 0.85 * towards ** 2;
    const colour: Colour = [shade * meshColour[0], shade * meshColour[1], shade * meshColour[2]];
    canvas.blend(pixel % width, Math.floor(pixel / width), colour, opacity);
  }
  return canvas;
}
