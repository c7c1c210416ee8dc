import { encodePng } from '../../datasets/formats/images/image.js';
import { facing } from '../../evaluation/renderings/facing.js';
import type { MeasuredFrame, MeasuredSet } from '../../evaluation/measure/types.js';
import { errorVertexColours, renderMesh } from '../../evaluation/renderings/renderings.js';
import { errorsAtVertices, pointToSurface } from '../../evaluation/errors/surfaceErrors.js';
import { methodNames } from '../../evaluation/types.js';
import { lookAt, type Camera } from '../../geometry/cameras/camera.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { buildTriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import type { ShownFrame } from '../shownFrame.js';
import { frontOf } from './frontOf.js';
import { middleOf } from './middleOf.js';

const size = 320;
/** From the nearest that a head may reach, mm: the picture is nearly free of perspective. */
const distance = 1500;

/**
 * A frame's heads in colours of their errors, from the front: those of models, and the registration.
 *
 * @param largestError has the last colour, mm.
 */
export async function measuredFrame(
  { id, heads, scanPoints, registration }: MeasuredFrame,
  { regions, baselines }: MeasuredSet,
  title: string,
  largestError: number,
): Promise<ShownFrame> {
  const faces = [...heads.values()][0]?.faces ?? new Uint32Array();
  const shown = new Map([...heads].filter(([method]) => baselines?.has(method) !== true));
  if (registration !== null) shown.set(methodNames.registration, { vertices: registration, faces });
  const [first] = shown.values();
  if (first === undefined) return { ...id, title, pictures: [], heads: [], front: [0, 0, 0, 1] };
  const face = regions?.['face'] ?? null;
  // All of a frame's methods are seen by one camera, which has all of them in its picture.
  const camera = frontCamera(first, [...shown.values()], face);
  const drawn: { head: ShownFrame['heads'][number]; picture: ShownFrame['pictures'][number] }[] = [];
  for (const [name, head] of shown) {
    const closest = pointToSurface(buildTriangleTree(head), head.vertices, scanPoints);
    const errors = errorsAtVertices(closest, head.faces, head.vertices.length / 3);
    const image = renderMesh(camera, head, errorVertexColours(errors, largestError));
    drawn.push({
      head: { name, vertices: head.vertices, errors },
      picture: { caption: name, png: await encodePng(image) },
    });
  }
  const pictures = drawn.map(({ picture }) => picture);
  const front = frontOf(face === null ? [0, 0, 1] : facing(first, face));
  return { ...id, title, pictures, heads: drawn.map(({ head }) => head), front };
}

/**
 * Before the first head's face, where masks say which vertices it has; else on the world's z axis, which the published
 * heads face. All heads are in its picture whole: one may be far from the others.
 */
function frontCamera(head: Mesh, all: readonly Mesh[], face: ArrayLike<number> | null): Camera {
  const centre = middleOf(all.map(({ vertices }) => vertices));
  const [x, y, z] = face === null ? [0, 0, 1] : facing(head, face);
  const length = Math.hypot(x, y, z);
  // From above or below the direction that is up in the picture would not be known.
  const usable = length > 0 && Math.abs(y) < 0.95 * length;
  const direction = usable ? [x / length, y / length, z / length] : [0, 0, 1];
  const reach = Math.max(1, ...all.map(({ vertices }) => farthest(vertices, centre)));
  const place = centre.map((coordinate, axis) => coordinate + (distance + reach) * direction[axis]!);
  // What is nearest to the camera, at `distance`, looks largest.
  const focal = (0.48 * size * distance) / reach;
  return {
    name: 'front',
    width: size,
    height: size,
    intrinsics: Float64Array.of(focal, 0, size / 2, 0, focal, size / 2, 0, 0, 1),
    extrinsics: lookAt([place[0]!, place[1]!, place[2]!], centre, [0, 1, 0]),
    distortion: [0, 0],
  };
}

/** The distance of the vertex that is farthest from a place. */
function farthest(vertices: Float32Array, [x, y, z]: readonly [number, number, number]): number {
  let most = 0;
  for (let i = 0; i < vertices.length; i += 3) {
    most = Math.max(most, Math.hypot(vertices[i]! - x, vertices[i + 1]! - y, vertices[i + 2]! - z));
  }
  return most;
}
