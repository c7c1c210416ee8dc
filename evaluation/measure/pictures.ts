import { encodePng } from '../../datasets/formats/image.js';
import { lookAt, type Camera } from '../../geometry/camera.js';
import type { Mesh } from '../../geometry/mesh.js';
import { buildTriangleTree } from '../../geometry/triangleTree.js';
import { facing } from '../facing.js';
import { errorVertexColours, renderMesh } from '../renderings.js';
import type { FramePictures } from '../reportPage.js';
import { centroid } from '../rigidAlignment.js';
import { errorsAtVertices, pointToSurface } from '../surfaceErrors.js';
import type { MeasuredFrame, MeasuredSet } from './types.js';

const size = 320;
/** From the head, mm: its picture is nearly free of perspective. */
const distance = 1500;

/** A frame's predictions in colours of their errors, from the front. @param largestError has the last colour, mm. */
export async function framePictures(
  { id, heads, scanPoints }: MeasuredFrame,
  regions: MeasuredSet['regions'],
  largestError: number,
): Promise<FramePictures> {
  const pictures: { caption: string; png: Uint8Array }[] = [];
  const [first] = heads.values();
  if (first === undefined) return { ...id, pictures };
  // All of a frame's methods are seen by one camera.
  const camera = frontCamera(first, regions?.['face'] ?? null);
  for (const [method, head] of heads) {
    const closest = pointToSurface(buildTriangleTree(head), head.vertices, scanPoints);
    const errors = errorsAtVertices(closest, head.faces, head.vertices.length / 3);
    const image = renderMesh(camera, head, errorVertexColours(errors, largestError));
    pictures.push({ caption: method, png: await encodePng(image) });
  }
  return { ...id, pictures };
}

/** Before the face, where masks say which vertices it has; else on the world's z axis, which the published heads face. */
function frontCamera(head: Mesh, face: ArrayLike<number> | null): Camera {
  const centre = centroid(head.vertices);
  const [x, y, z] = face === null ? [0, 0, 1] : facing(head, face);
  const length = Math.hypot(x, y, z);
  // From above or below the direction that is up in the picture would not be known.
  const usable = length > 0 && Math.abs(y) < 0.95 * length;
  const direction = usable ? [x / length, y / length, z / length] : [0, 0, 1];
  const place = centre.map((coordinate, axis) => coordinate + distance * direction[axis]!);
  const reach = head.vertices.reduce((most, value, i) => Math.max(most, Math.abs(value - centre[i % 3]!)), 1);
  const focal = (0.45 * size * distance) / reach;
  return {
    name: 'front',
    width: size,
    height: size,
    intrinsics: Float64Array.of(focal, 0, size / 2, 0, focal, size / 2, 0, 0, 1),
    extrinsics: lookAt([place[0]!, place[1]!, place[2]!], centre, [0, 1, 0]),
    distortion: [0, 0],
  };
}
