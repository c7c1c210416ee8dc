import { prepareSurface } from '../../datasets/batches/prepareSurface.js';
import type { Batch } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { CoarseSurface } from '../../model/refinement.js';
import { inPhase, tf } from '../../tensor/index.js';

/**
 * What the refinement needs of the coarse predictions of a batch: normals, and which view sees which vertex (method 3.2),
 * with the cameras that belong to the batch's images; computed here if the loader has not. The tensors belong to the
 * caller, or to the surrounding tidy.
 *
 * @param resolution side of visibility's depth pictures, px.
 */
export function coarseSurface(batch: Batch, template: Mesh, resolution = 200): CoarseSurface {
  return inPhase('load', () => surfaceOf(batch, template, resolution));
}

function surfaceOf(batch: Batch, template: Mesh, resolution: number): CoarseSurface {
  const known = batch.surface?.vertices === batch.coarseVertices ? batch.surface : undefined;
  const { vertices, normals, visibility } = known ?? prepareSurface(batch, template.faces, resolution);
  const { batch: samples, views } = batch.shape;
  const vertexCount = template.vertices.length / 3;
  return {
    vertices: tf.tensor3d(vertices, [samples, vertexCount, 3]),
    normals: tf.tensor3d(normals, [samples, vertexCount, 3]),
    visibility: tf.tensor3d(visibility, [samples, views, vertexCount]),
    template: tf.tensor2d(template.vertices, [vertexCount, 3]),
  };
}
