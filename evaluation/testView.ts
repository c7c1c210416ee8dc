import { basename } from 'node:path';
import type { RgbImage } from '../datasets/formats/image.js';
import { readTar } from '../datasets/formats/tar.js';
import { parseTka } from '../datasets/formats/tka.js';
import { decodeView } from '../datasets/images/decodeView.js';
import { isViewOfKind } from '../datasets/layout.js';
import type { IndexedFrame, IndexedObject } from '../datasets/types.js';
import type { Camera } from '../geometry/camera.js';
import type { TestSet } from './testSet.js';

/** A view of a test frame, landscape, at the stored resolution. */
export interface TestView {
  readonly camera: Camera;
  readonly image: RgbImage;
}

/**
 * The first colour view of a frame, or its first view where there is none: what the report shows, and draws its meshes in.
 *
 * @returns null for a frame without a view that has both image and calibration.
 */
export async function firstView(testSet: TestSet, frame: IndexedFrame): Promise<TestView | null> {
  const images = readTar(await testSet.bytes(frame.images), frame.images.key);
  const found = frame.calibrations
    .map((calibration) => {
      const name = basename(calibration.key, '.tka');
      // `C.png` or `Q.N.C.png`.
      const image = images.find((member) => basename(member.name).split('.').at(-2) === name);
      return { name, calibration, image };
    })
    .filter(({ image }) => image !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { name, calibration, image } = found.find((view) => isViewOfKind(view.name, 'colour')) ?? found[0] ?? noView;
  if (calibration === null || image === undefined) return null;
  const text = Buffer.from(await testSet.bytes(calibration)).toString();
  const view = await decodeView(
    { name, bytes: image.bytes, file: image.name, calibration: parseTka(text, calibration.key) },
    testSet.index.storedResizeFactor,
  );
  const { width, height } = view.camera;
  const data = Uint8Array.from(view.image, (value) => Math.round(255 * value));
  return { camera: view.camera, image: { width, height, data } };
}

const noView: { name: string; calibration: IndexedObject | null; image: undefined } = {
  name: '',
  calibration: null,
  image: undefined,
};
