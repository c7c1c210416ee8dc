import { cameraCentre, type Camera } from '../../geometry/cameras/camera.js';
import { isViewOfKind } from '../layout.js';
import { Drawing, textWidth, type Colour } from '../pictures/drawing.js';
import type { RigFinding, Volume } from './types.js';
import { forward } from './rigGeometry.js';

const background: Colour = [24, 27, 33];
const faint: Colour = [92, 98, 110];
const words: Colour = [220, 224, 230];
const volumeColour: Colour = [240, 200, 66];
const scanColour: Colour = [235, 120, 90];
/** Points of a scan that are drawn. */
const scanPoints = 3000;
const colours = {
  stereo: [90, 170, 255],
  colour: [92, 196, 99],
  other: [170, 175, 185],
  wrong: [255, 80, 70],
} as const;

/** Size of the font, pixels. */
const small = 15;
const large = 22;

const side = 900;
const margin = 90;
/** Share of a panel's width that a frustum is long. */
const frustumShare = 0.07;

/** A panel: which axis of the world goes right, and which up. */
interface Panel {
  readonly title: string;
  readonly right: { readonly axis: 0 | 1 | 2; readonly sign: 1 | -1; readonly name: string };
  readonly up: { readonly axis: 0 | 1 | 2; readonly sign: 1 | -1; readonly name: string };
}

const panels: readonly Panel[] = [
  {
    title: 'from above',
    right: { axis: 0, sign: 1, name: '+x' },
    up: { axis: 2, sign: -1, name: '-z' },
  },
  {
    title: 'from the side',
    right: { axis: 2, sign: 1, name: '+z' },
    up: { axis: 1, sign: 1, name: '+y' },
  },
];

/**
 * A rig from two sides: cameras with names, pictures' corners and viewing directions, the volume that the coarse model
 * searches, a scan's points, the world's axes, a scale. Cameras of which something is wrong are red.
 *
 * @param scan `[n, 3]`, mm; may be empty.
 * @returns a PNG of 1800 × 900 pixels.
 */
export function rigPicture(
  cameras: readonly Camera[],
  volume: Volume,
  findings: readonly RigFinding[],
  scan: Float32Array,
): Promise<Buffer> {
  const drawing = new Drawing(panels.length * side, side, background);
  const centres = cameras.map(cameraCentre);
  const reach = centres.map((centre) => Math.max(...centre.map((value, i) => Math.abs(value - volume.centre[i]!))));
  const extent = Math.max(volume.side, ...reach.filter(Number.isFinite));
  const wrong = new Set(findings.filter(({ severity }) => severity === 'error').map(({ camera }) => camera));
  panels.forEach((panel, index) => {
    const scale = (side / 2 - margin) / extent;
    const place = (point: readonly number[]): [number, number] => {
      const along = ({ axis, sign }: Panel['right']): number => sign * (point[axis]! - volume.centre[axis]);
      return [index * side + side / 2 + scale * along(panel.right), side / 2 - scale * along(panel.up)];
    };
    drawGround(drawing, panel, index, place, volume, extent);
    drawScan(drawing, scan, index, place);
    cameras.forEach((camera, i) => {
      const colour = wrong.has(camera.name) ? colours.wrong : colours[kindOf(camera.name)];
      drawCamera(drawing, camera, centres[i]!, colour, place, volume, (frustumShare * side) / scale);
    });
  });
  return drawing.png();
}

function drawGround(
  drawing: Drawing,
  panel: Panel,
  index: number,
  place: (point: readonly number[]) => [number, number],
  { centre, side: width }: Volume,
  extent: number,
): void {
  const left = index * side;
  if (index > 0) drawing.line(left, 0, left, side, faint);
  const [x, y] = place([0, 0, 0]);
  drawing.line(left + 20, y, left + side - 20, y, faint, 0.6);
  drawing.line(x, 60, x, side - 40, faint, 0.6);
  drawing.text(left + side - 20 - textWidth(panel.right.name, small), y + 4, panel.right.name, faint, small);
  drawing.text(x + 6, 60, panel.up.name, faint, small);
  drawing.text(left + 20, 20, panel.title, words, large);
  const corner = (sign: 1 | -1): [number, number] => place(centre.map((value) => value + (sign * width) / 2));
  const [[x0, y0], [x1, y1]] = [corner(-1), corner(1)];
  const [from, to] = [Math.min(x0, x1), Math.min(y0, y1)];
  drawing.rectangle(from, to, Math.abs(x1 - x0), Math.abs(y1 - y0), volumeColour, 0.15);
  for (const [a, b, c, d] of [
    [x0, y0, x1, y0],
    [x1, y0, x1, y1],
    [x1, y1, x0, y1],
    [x0, y1, x0, y0],
  ] as const) {
    drawing.line(a, b, c, d, volumeColour);
  }
  const bar = roundLength(extent / 2);
  const pixels = (bar * (side / 2 - margin)) / extent;
  drawing.line(left + 20, side - 24, left + 20 + pixels, side - 24, words);
  drawing.text(left + 20, side - 21, `${bar} mm`, words, small);
}

function drawScan(
  drawing: Drawing,
  scan: Float32Array,
  index: number,
  place: (point: readonly number[]) => [number, number],
): void {
  const step = 3 * Math.max(1, Math.ceil(scan.length / 3 / scanPoints));
  const places: [number, number][] = [];
  for (let i = 0; i < scan.length; i += step) {
    const [x, y] = place([scan[i]!, scan[i + 1]!, scan[i + 2]!]).map(Math.round) as [number, number];
    // Each panel has its own half.
    if (x >= index * side && x < (index + 1) * side && y >= 0 && y < side) places.push([x, y]);
  }
  drawing.dots(places, scanColour, 0.7);
}

function drawCamera(
  drawing: Drawing,
  camera: Camera,
  centre: readonly [number, number, number],
  colour: Colour,
  place: (point: readonly number[]) => [number, number],
  volume: Volume,
  frustum: number,
): void {
  const [x, y] = place(centre);
  const towards = forward(camera);
  const distance = Math.hypot(...centre.map((value, i) => value - volume.centre[i]!));
  const [endX, endY] = place(centre.map((value, i) => value + distance * towards[i]!));
  drawing.line(x, y, endX, endY, colour, 0.45, 6);
  const corners = imageCorners(camera, frustum).map((corner) => place(corner.map((value, i) => centre[i]! + value)));
  corners.forEach(([cornerX, cornerY], i) => {
    const [nextX, nextY] = corners[(i + 1) % corners.length]!;
    drawing.line(x, y, cornerX, cornerY, colour, 0.8);
    drawing.line(cornerX, cornerY, nextX, nextY, colour, 0.8);
  });
  drawing.disc(x, y, 4, colour);
  // Beside the camera, away from where it looks.
  const [awayX, awayY] = [x - endX, y - endY];
  const length = Math.hypot(awayX, awayY) || 1;
  const width = textWidth(camera.name, small);
  drawing.text(
    x + (awayX / length) * (12 + width / 2) - width / 2,
    y + (awayY / length) * 18 - 10,
    camera.name,
    colour,
    small,
  );
}

/** Directions of the image's corners in the world, of some length along the axis. */
function imageCorners({ width, height, intrinsics: k, extrinsics: e }: Camera, length: number): number[][] {
  return [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ].map(([u, v]) => {
    const [x, y] = [(u! - k[2]!) / k[0]!, (v! - k[5]!) / k[4]!];
    return [0, 1, 2].map((axis) => length * (e[axis]! * x + e[4 + axis]! * y + e[8 + axis]!));
  });
}

function kindOf(name: string): 'stereo' | 'colour' | 'other' {
  if (isViewOfKind(name, 'stereo')) return 'stereo';
  return isViewOfKind(name, 'colour') ? 'colour' : 'other';
}

/** 1, 2 or 5 times a power of ten, at most so long. */
function roundLength(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length));
  return power * (length >= 5 * power ? 5 : length >= 2 * power ? 2 : 1);
}
