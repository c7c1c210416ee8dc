import { encodePng } from '../../datasets/formats/images/image.js';
import type { IndexedFrame } from '../../datasets/types.js';
import { facing } from '../../evaluation/renderings/facing.js';
import { errorVertexColours, renderMesh, withWidth } from '../../evaluation/renderings/renderings.js';
import { errorsAtVertices, pointToSurface } from '../../evaluation/errors/surfaceErrors.js';
import type { TestSet } from '../../evaluation/testSet.js';
import { buildTriangleTree, type TriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import type { ShownFrame, ShownHead } from '../shownFrame.js';
import type { ChosenFrame } from './chooseFrames.js';
import { closeUp } from './closeUp.js';
import { frontOf } from './frontOf.js';
import { viewOfFace } from './testView.js';

/** Width of the pictures, px. */
const pictureWidth = 320;

/**
 * A run's test frames as its cameras saw them: view, registration, predictions, and their errors in colours.
 *
 * @param stages that have predicted the test set.
 * @param largestError has the scale's last colour, mm.
 */
export async function runFrames(
  testSet: TestSet,
  stages: readonly ('coarse' | 'refinement')[],
  chosen: readonly ChosenFrame[],
  largestError: number,
  signal?: AbortSignal,
): Promise<ShownFrame[]> {
  const tree = buildTriangleTree(testSet.template);
  const shown: ShownFrame[] = [];
  for (const { id, title } of chosen) {
    signal?.throwIfAborted();
    const frame = await testSet.index.find('test', id);
    if (frame === null) continue;
    const heads = await headsOf(testSet, tree, frame, stages);
    const { faces } = testSet.template;
    const direction = facing({ vertices: heads[0]!.vertices, faces }, testSet.face);
    const pictures = await picturesOf(testSet, frame, heads, largestError);
    shown.push({ ...id, title, pictures, heads, front: frontOf(direction) });
  }
  return shown;
}

async function headsOf(
  testSet: TestSet,
  tree: TriangleTree,
  frame: IndexedFrame,
  stages: readonly ('coarse' | 'refinement')[],
): Promise<ShownHead[]> {
  const scanPoints = await testSet.scanPoints(frame);
  const registration = await testSet.registration(frame);
  const { faces } = testSet.template;
  const measured = (name: string, vertices: Float32Array): ShownHead => {
    if (scanPoints === null) return { name, vertices, errors: null };
    const closest = pointToSurface(tree, vertices, scanPoints);
    return { name, vertices, errors: errorsAtVertices(closest, faces, vertices.length / 3) };
  };
  const heads: ShownHead[] = [];
  for (const stage of stages) heads.push(measured(stage, await testSet.prediction(stage, frame.id)));
  if (registration !== null) heads.push(measured('registration', registration));
  return heads;
}

async function picturesOf(
  testSet: TestSet,
  frame: IndexedFrame,
  heads: readonly ShownHead[],
  largestError: number,
): Promise<ShownFrame['pictures']> {
  const { faces } = testSet.template;
  const best = heads.at(-1)!.vertices;
  const view = await viewOfFace(testSet, frame, facing({ vertices: best, faces }, testSet.face));
  if (view === null) return [];
  const { camera, image } = closeUp(view.camera, view.image, best);
  const drawn = withWidth(camera, pictureWidth);
  const pictures = [{ caption: `view ${camera.name}`, png: await encodePng(image) }];
  const draw = async (caption: string, vertices: Float32Array, colours?: Float32Array): Promise<void> => {
    pictures.push({ caption, png: await encodePng(renderMesh(drawn, { vertices, faces }, colours)) });
  };
  // The registration first: what the others should come to.
  for (const { name, vertices, errors } of [...heads].sort((a, b) => order(a.name) - order(b.name))) {
    await draw(name, vertices);
    if (errors !== null && name !== 'registration') {
      await draw(`${name}: error`, vertices, errorVertexColours(errors, largestError));
    }
  }
  return pictures;
}

const order = (name: string): number => ['registration', 'coarse', 'refinement'].indexOf(name);
