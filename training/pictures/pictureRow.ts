import { encodePng } from '../../datasets/formats/images/image.js';
import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
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
const leastPanelWidth = 160;
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
 * colours, painted on the target.
 *
 * @param image ImageNet-normalised, of the camera's size. `[H, W, 3]`
 * @param largestError mm; the last colour.
 */
export async function pictureRow(
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
  const panels = [
    inputPanel(image, camera, factor),
    ...(coarse ? [panel(coarse)] : []),
    panel(target),
    panel(reconstruction),
    panel(target, errorColours(target, reconstruction, largestError)),
  ];
  const row = sideBySide(panels);
  return { width: row.width, height: row.height, png: await encodePng(row) };
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

function sideBySide(panels: readonly RgbImage[]): RgbImage {
  const height = panels[0]?.height ?? 0;
  const width = panels.reduce((sum, panel) => sum + panel.width, 0);
  const data = new Uint8Array(width * height * 3);
  let left = 0;
  for (const panel of panels) {
    for (let row = 0; row < height; row++) {
      const line = panel.data.subarray(row * panel.width * 3, (row + 1) * panel.width * 3);
      data.set(line, (row * width + left) * 3);
    }
    left += panel.width;
  }
  return { width, height, data };
}
