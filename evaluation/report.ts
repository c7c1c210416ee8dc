import { encodePng } from '../datasets/formats/image.js';
import type { IndexedFrame } from '../datasets/types.js';
import { buildTriangleTree, type TriangleTree } from '../geometry/triangleTree.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import { closeUp } from './closeUp.js';
import { facing } from './facing.js';
import { errorVertexColours, renderMesh, withWidth } from './renderings.js';
import { reportPage, type FramePictures } from './reportPage.js';
import { errorsAtVertices, pointToSurface } from './surfaceErrors.js';
import type { TestSet } from './testSet.js';
import { viewOfFace } from './testView.js';
import type { Evaluation } from './types.js';

/** Test frames that are shown: evenly spread. */
const framesShown = 6;
/** Of the pictures, px. */
const pictureWidth = 320;

export interface ReportOptions {
  readonly store: ObjectStore;
  readonly testSet: TestSet;
  readonly evaluation: Evaluation;
  /** The frames that were evaluated. */
  readonly frames: readonly IndexedFrame[];
  readonly signal?: AbortSignal;
}

/** Draws some test frames (view, coarse, refined, errors in colours) and writes the run's `report.html`. */
export async function writeReport(options: ReportOptions): Promise<void> {
  const { store, testSet, evaluation, frames, signal } = options;
  const stages = [...(await testSet.predicted()).keys()];
  const tree = buildTriangleTree(testSet.template);
  const largestError = scaleEnd(evaluation);
  const shown: FramePictures[] = [];
  const count = Math.min(framesShown, frames.length);
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted();
    const frame = frames[Math.floor((i * frames.length) / count)]!;
    shown.push(await framePictures(options, tree, frame, stages, largestError));
  }
  const page = reportPage({ evaluation, frames: shown, largestError });
  await store.put(keys.report(evaluation.run), Buffer.from(page), {
    contentType: 'text/html; charset=utf-8',
    ...(signal ? { signal } : {}),
  });
}

/** The colours end at 1, 2 or 5 times a power of ten mm, near the coarse model's 90th percentile. */
export function scaleEnd({ methods }: Pick<Evaluation, 'methods'>): number {
  const typical = methods[0]?.pointToSurface.percentile90 ?? 1;
  const power = 10 ** Math.floor(Math.log10(Math.max(0.1, typical)));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= typical) ?? 10 * power;
}

async function framePictures(
  { testSet }: ReportOptions,
  tree: TriangleTree,
  frame: IndexedFrame,
  stages: readonly ('coarse' | 'refinement')[],
  largestError: number,
): Promise<FramePictures> {
  const { faces } = testSet.template;
  const registration = await testSet.registration(frame);
  const best = registration ?? (await testSet.prediction(stages.at(-1) ?? 'coarse', frame.id));
  const view = await viewOfFace(testSet, frame, facing({ vertices: best, faces }, testSet.face));
  if (view === null) return { ...frame.id, pictures: [] };
  const { camera, image } = closeUp(view.camera, view.image, best);
  const drawn = withWidth(camera, pictureWidth);
  const pictures = [{ caption: `view ${camera.name}`, png: await encodePng(image) }];
  const draw = async (caption: string, vertices: Float32Array, colours?: Float32Array): Promise<void> => {
    pictures.push({ caption, png: await encodePng(renderMesh(drawn, { vertices, faces }, colours)) });
  };
  if (registration !== null) await draw('registration', registration);
  const scanPoints = await testSet.scanPoints(frame);
  for (const stage of stages) {
    const vertices = await testSet.prediction(stage, frame.id);
    await draw(stage, vertices);
    if (scanPoints === null) continue;
    const closest = pointToSurface(tree, vertices, scanPoints);
    const errors = errorsAtVertices(closest, faces, vertices.length / 3);
    await draw(`${stage}: error`, vertices, errorVertexColours(errors, largestError));
  }
  return { ...frame.id, pictures };
}
