import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import { Drawing, textWidth, type Colour } from '../../datasets/pictures/drawing.js';
import { scaleIntrinsics, type Camera } from '../../geometry/cameras/camera.js';
import { drawMesh, type Look } from '../../geometry/cameras/drawMesh.js';
import { deviation, mean } from '../../datasets/images/normalise.js';
import { counterRandom } from '../../geometry/random.js';
import type { EventPicture } from '../../checkpoints/events/eventRecords.js';
import { jetColour } from './jetColours.js';

/** What a row shows of one sample. */
export interface PictureSample {
  readonly faces: Uint32Array;
  /** `[L, 3]` mm each; coarse is null in the coarse stages. */
  readonly coarse: Float32Array | null;
  readonly target: Float32Array;
  readonly reconstruction: Float32Array;
}

const shownViews = 6;
/** Images are enlarged, by a whole number, to panels of at least this width, px. */
const leastPanelWidth = 240;
/** Above the panels the sample's name and theirs, below the colours' scale: heights and sizes of letters, px. */
const [titleHeight, labelHeight, scaleHeight] = [24, 20, 36];
const [titleSize, labelSize] = [15, 13];
const margin = 6;
const black: Colour = [0, 0, 0];
/** Grey on white. */
const look: Look = {
  background: [255, 255, 255],
  plain: [199, 199, 199],
  ambient: 0.3,
  bothSides: true,
  supersampling: 1,
};

/** The views that are shown of so many: a fixed shuffle's first six. */
export function viewsToShow(viewCount: number): number[] {
  const views = Array.from({ length: viewCount }, (_, view) => view);
  return counterRandom(0, 'pictures', viewCount).shuffle(views).slice(0, shownViews);
}

/**
 * One view of a sample (method 4): input | coarse, in refinement | target | reconstruction | its error in jet
 * colours, painted on the target; with names, and the scale of the colours.
 *
 * @param name of the sample and view, human-readable.
 * @param image ImageNet-normalised, of the camera's size. `[H, W, 3]`
 * @param largestError mm; the last colour.
 */
export async function pictureRow(
  name: string,
  image: Float32Array,
  camera: Camera,
  sample: PictureSample,
  largestError: number,
): Promise<EventPicture> {
  const { faces, coarse, target, reconstruction } = sample;
  const factor = Math.max(1, Math.ceil(leastPanelWidth / camera.width));
  const shown = enlarged(camera, factor);
  const panel = (vertices: Float32Array, colours?: Float32Array): RgbImage =>
    drawMesh(shown, { vertices, faces }, look, colours);
  const panels: readonly (readonly [string, RgbImage])[] = [
    ['input', inputPanel(image, camera, factor)],
    ...(coarse ? [['coarse', panel(coarse)] as const] : []),
    ['registration', panel(target)],
    ['prediction', panel(reconstruction)],
    ['error', panel(target, errorColours(target, reconstruction, largestError))],
  ];
  const top = titleHeight + labelHeight;
  const [width, height] = [panels.length * shown.width, top + shown.height + scaleHeight];
  const drawing = new Drawing(width, height, look.background);
  drawing.text(margin, margin, shortened(name, width - 2 * margin), black, titleSize);
  panels.forEach(([label, picture], i) => {
    const left = i * shown.width;
    drawing.image(left, top, picture);
    drawing.text(left + margin, titleHeight, label, black, labelSize);
  });
  drawScale(drawing, { left: width - shown.width, top: top + shown.height, width: shown.width }, largestError);
  return { width, height, png: await drawing.png() };
}

/** From no error to the largest, which those beyond share. */
function drawScale(
  drawing: Drawing,
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
  largestError: number,
): void {
  const bar = { left: left + margin, width: width - 2 * margin, top: top + 4, height: 10 };
  const steps = 64;
  for (let i = 0; i < steps; i++) {
    const [r, g, b] = jetColour((i + 0.5) / steps);
    const x = bar.left + (i * bar.width) / steps;
    drawing.rectangle(x, bar.top, bar.width / steps + 0.5, bar.height, [255 * r, 255 * g, 255 * b]);
  }
  const [least, most] = ['0 mm', `${largestError} mm and more`];
  drawing.text(bar.left, bar.top + bar.height + 3, least, black, labelSize);
  drawing.text(bar.left + bar.width - textWidth(most, labelSize), bar.top + bar.height + 3, most, black, labelSize);
}

/** The end says more: the frame's number. */
function shortened(text: string, width: number): string {
  let shown = text;
  while (shown.length > 1 && textWidth(shown, titleSize) > width) shown = `…${shown.slice(2)}`;
  return shown;
}

/** What the network was given, the normalisation undone, every pixel a square. */
function inputPanel(image: Float32Array, camera: Camera, factor: number): RgbImage {
  const width = camera.width * factor;
  const height = camera.height * factor;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = 3 * (Math.floor(row / factor) * camera.width + Math.floor(column / factor));
      const to = 3 * (row * width + column);
      for (let channel = 0; channel < 3; channel++) {
        const value = image[from + channel]! * deviation[channel]! + mean[channel]!;
        data[to + channel] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
    }
  }
  return { width, height, data };
}

function enlarged(camera: Camera, factor: number): Camera {
  const { width, height, intrinsics } = camera;
  return {
    ...camera,
    width: width * factor,
    height: height * factor,
    intrinsics: scaleIntrinsics(intrinsics, factor),
  };
}

/** Distance of corresponding vertices in jet colours. `[L, 3]` in [0, 255]. */
export function errorColours(target: Float32Array, reconstruction: Float32Array, largest: number): Float32Array {
  const colours = new Float32Array(target.length);
  for (let i = 0; i < target.length; i += 3) {
    const error = Math.hypot(
      target[i]! - reconstruction[i]!,
      target[i + 1]! - reconstruction[i + 1]!,
      target[i + 2]! - reconstruction[i + 2]!,
    );
    jetColour(error / largest).forEach((value, channel) => (colours[i + channel] = 255 * value));
  }
  return colours;
}
