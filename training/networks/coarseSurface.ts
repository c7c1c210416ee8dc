import type { Batch } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';
import { visibilityWeights } from '../../geometry/cameras/visibility.js';
import type { CoarseSurface } from '../../model/refinement.js';
import { inPhase, tf } from '../../tensor/index.js';

/**
 * What the refinement needs of the coarse predictions of a batch: normals, and which view sees which vertex (method 3.2),
 * with the cameras that belong to the batch's images. The tensors belong to the caller, or to the surrounding tidy.
 */
export function coarseSurface(batch: Batch, template: Mesh): CoarseSurface {
  return inPhase('load', () => surfaceOf(batch, template));
}

function surfaceOf(batch: Batch, template: Mesh): CoarseSurface {
  const { coarseVertices, cameras } = batch;
  if (!coarseVertices) throw new Error(`The batch of step ${batch.step} has no coarse predictions to refine.`);
  const { batch: samples, views } = batch.shape;
  const numbers = template.vertices.length;
  const vertexCount = numbers / 3;
  const normals = new Float32Array(coarseVertices.length);
  const visibility = new Float32Array(samples * views * vertexCount);
  for (let sample = 0; sample < samples; sample++) {
    const mesh = { vertices: coarseVertices.subarray(sample * numbers, (sample + 1) * numbers), faces: template.faces };
    normals.set(vertexNormals(mesh), sample * numbers);
    visibility.set(visibilityWeights(mesh, cameras[sample]!), sample * views * vertexCount);
  }
  return {
    vertices: tf.tensor3d(coarseVertices, [samples, vertexCount, 3]),
    normals: tf.tensor3d(normals, [samples, vertexCount, 3]),
    visibility: tf.tensor3d(visibility, [samples, views, vertexCount]),
    template: tf.tensor2d(template.vertices, [vertexCount, 3]),
  };
}
