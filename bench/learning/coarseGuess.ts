import type { Batch } from '../../datasets/types.js';

/**
 * What refinement is given in place of coarse predictions where none was trained: registrations, moved by a smooth field,
 * as a coarse model is off by.
 *
 * @param largest displacement along each axis, mm.
 * @returns `[B, L, 3]`, mm.
 */
export function coarseGuess(batch: Batch, largest: number): Float32Array {
  const { vertices } = batch;
  if (!vertices) throw new Error(`The batch of step ${batch.step} has no registrations.`);
  const numbers = vertices.length / batch.shape.batch;
  return vertices.map((coordinate, i) => {
    const sample = Math.floor(i / numbers);
    const first = i - (i % 3);
    const [x, y, z] = [vertices[first]!, vertices[first + 1]!, vertices[first + 2]!];
    // Half a wave over some centimetres, of another phase for each axis and sample.
    const phase = 2.1 * (i % 3) + 1.3 * sample;
    return coordinate + largest * Math.sin(x / 40 + phase) * Math.cos(y / 50 - phase) * Math.cos(z / 45 + 2 * phase);
  });
}
