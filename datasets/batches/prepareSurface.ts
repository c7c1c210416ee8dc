import { visibilityWeights } from '../../geometry/cameras/visibility.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';
import type { Batch, PreparedSurface } from '../types.js';

/**
 * Normals of a batch's coarse meshes, and which view sees which of their vertices (method 3.2).
 *
 * @param faces of the template. @param resolution side of the depth pictures, px.
 * @throws Error for a batch without coarse predictions; RangeError for vertices that are not finite.
 */
export function prepareSurface(batch: Batch, faces: Mesh['faces'], resolution: number): PreparedSurface {
  const { coarseVertices, cameras } = batch;
  if (!coarseVertices) throw new Error(`The batch of step ${batch.step} has no coarse predictions to refine.`);
  const { batch: samples, views } = batch.shape;
  const numbers = coarseVertices.length / samples;
  const normals = new Float32Array(coarseVertices.length);
  const visibility = new Float32Array((views * coarseVertices.length) / 3);
  for (let sample = 0; sample < samples; sample++) {
    const mesh = { vertices: coarseVertices.subarray(sample * numbers, (sample + 1) * numbers), faces };
    normals.set(vertexNormals(mesh), sample * numbers);
    visibility.set(visibilityWeights(mesh, cameras[sample]!, resolution), (sample * views * numbers) / 3);
  }
  return { vertices: coarseVertices, normals, visibility };
}
