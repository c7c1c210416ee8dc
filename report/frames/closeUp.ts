import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import { projectPoints, shiftIntrinsics, type Camera } from '../../geometry/cameras/camera.js';

/** Around the head, of its own size. */
const margin = 0.25;

/**
 * The part of a view that shows a head, in the view's own proportions: heads fill a quarter of a picture otherwise.
 *
 * @param vertices `[L, 3]`, mm. @returns the whole view where the head is not in it.
 */
export function closeUp(camera: Camera, image: RgbImage, vertices: Float32Array): { camera: Camera; image: RgbImage } {
  const projected = projectPoints(camera, vertices);
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < projected.length; i += 3) {
    for (let axis = 0; axis < 2; axis++) {
      low[axis] = Math.min(low[axis]!, projected[i + axis]!);
      high[axis] = Math.max(high[axis]!, projected[i + axis]!);
    }
  }
  const { width, height } = camera;
  const share = (1 + margin) * Math.max((high[0]! - low[0]!) / width, (high[1]! - low[1]!) / height);
  if (!(share > 0 && share < 1)) return { camera, image };
  const [cropWidth, cropHeight] = [Math.round(share * width), Math.round(share * height)];
  const left = place((low[0]! + high[0]!) / 2, cropWidth, width);
  const top = place((low[1]! + high[1]!) / 2, cropHeight, height);
  const data = new Uint8Array(3 * cropWidth * cropHeight);
  for (let row = 0; row < cropHeight; row++) {
    const from = 3 * ((top + row) * width + left);
    data.set(image.data.subarray(from, from + 3 * cropWidth), 3 * row * cropWidth);
  }
  return {
    camera: {
      ...camera,
      width: cropWidth,
      height: cropHeight,
      intrinsics: shiftIntrinsics(camera.intrinsics, -left, -top),
    },
    image: { width: cropWidth, height: cropHeight, data },
  };
}

/** Where a stretch around a centre begins, moved such that all of it is inside. */
function place(centre: number, length: number, whole: number): number {
  return Math.min(whole - length, Math.max(0, Math.round(centre - length / 2)));
}
