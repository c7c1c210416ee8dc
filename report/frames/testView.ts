import { basename } from 'node:path';
import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import { parseTka } from '../../datasets/formats/tka.js';
import { coloursOf } from '../../datasets/images/floatImage.js';
import { decodeView, type EncodedView } from '../../datasets/images/decodeView.js';
import { isViewOfKind } from '../../datasets/layout.js';
import { readFrameArchive } from '../../datasets/reader/frameArchive.js';
import type { IndexedFrame } from '../../datasets/types.js';
import type { Camera } from '../../geometry/cameras/camera.js';
import type { TestSet } from '../../evaluation/testSet.js';

/** A view of a test frame, landscape, at the stored resolution. */
export interface TestView {
  readonly camera: Camera;
  readonly image: RgbImage;
}

/**
 * The colour view that a face looks into most, of all views where there is no colour view: what the report shows, and
 * draws its meshes in.
 *
 * @param facing where the face looks, in the world; any length.
 * @returns null for a frame without a view that has both image and calibration.
 */
export async function viewOfFace(
  testSet: TestSet,
  frame: IndexedFrame,
  facing: readonly [number, number, number],
): Promise<TestView | null> {
  const archived = readFrameArchive(await testSet.bytes(frame.images), frame.images.key, frame.id);
  const views: (EncodedView & { readonly towards: number })[] = [];
  for (const object of frame.calibrations) {
    const name = basename(object.key, '.tka');
    const view = archived.get(name);
    if (view === undefined) continue;
    const calibrationBytes = view.calibration ?? (await testSet.bytes(object));
    const calibration = parseTka(Buffer.from(calibrationBytes).toString(), object.key);
    // A camera's forward axis in the world is the last row of its rotation.
    const [x, y, z] = calibration.rotation.subarray(6);
    const towards = -(facing[0] * x! + facing[1] * y! + facing[2] * z!);
    views.push({ name, bytes: view.image, file: `${frame.images.key} (${name})`, calibration, towards });
  }
  const colour = views.filter(({ name }) => isViewOfKind(name, 'colour'));
  const [best] = (colour.length > 0 ? colour : views).sort((a, b) => b.towards - a.towards);
  if (best === undefined) return null;
  const view = await decodeView(best, testSet.index.storedResizeFactor);
  const { width, height } = view.camera;
  const data = Uint8Array.from(coloursOf(view.image), (value) => Math.round(255 * value));
  return { camera: view.camera, image: { width, height, data } };
}
