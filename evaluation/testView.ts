import { basename } from 'node:path';
import type { RgbImage } from '../datasets/formats/image.js';
import { cameraFromTka, parseTka } from '../datasets/formats/tka.js';
import type { IndexedFrame } from '../datasets/types.js';
import { rotateCounterClockwise, type Camera } from '../geometry/camera.js';
import type { TestSet } from './testSet.js';

/** A view of a test frame, landscape, at the stored resolution. */
export interface TestView {
  readonly camera: Camera;
  /** null where it cannot be read: the pictures go without. */
  readonly image: RgbImage | null;
}

/** The first colour view of a frame, or its first view: what the report shows and draws its meshes in. */
export async function firstView(testSet: TestSet, frame: IndexedFrame): Promise<TestView> {
  const calibrations = [...frame.calibrations].sort((a, b) => (a.key < b.key ? -1 : 1));
  const chosen = calibrations.find(({ key }) => viewName(key).endsWith('_C')) ?? calibrations[0];
  if (chosen === undefined) throw new Error(`${frame.id.subject}/${frame.id.sequence}: it has no calibration`);
  const text = Buffer.from(await testSet.bytes(chosen)).toString();
  const stored = cameraFromTka(parseTka(text, chosen.key), testSet.index.storedResizeFactor, viewName(chosen.key));
  const camera = stored.height > stored.width ? rotateCounterClockwise(stored) : stored;
  return { camera, image: null };
}

function viewName(key: string): string {
  return basename(key, '.tka');
}
