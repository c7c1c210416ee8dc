import { rotatePoints } from '../geometry/rotation.js';
import { alignmentRotation, centroid, meanRotation, translated } from './rigidAlignment.js';

const alignments = 4;

/**
 * The mean of heads in the same topology: each is centred at the mean of its vertices and rotated (never scaled) onto the
 * mean, which is taken anew, four times over (generalised Procrustes). The result stands in the mean orientation of the
 * heads: a guess of a head about which only the place is known.
 *
 * @param heads one or more `[L, 3]`, mm, at their places in the world.
 * @returns `[L, 3]`, mm, centred at 0; the caller's.
 */
export function meanHead(heads: readonly Float32Array[]): Float32Array {
  const centred = heads.map((head) => {
    const [x, y, z] = centroid(head);
    return translated(head, [-x, -y, -z]);
  });
  let mean = centred[0]?.slice();
  if (mean === undefined) throw new RangeError('the mean head needs at least one training registration');
  for (let pass = 0; pass < alignments; pass++) {
    const sum: Float64Array = new Float64Array(mean.length);
    for (const head of centred) {
      const aligned = rotatePoints(alignmentRotation(head, mean), head);
      for (let i = 0; i < sum.length; i++) sum[i]! += aligned[i]!;
    }
    mean = Float32Array.from(sum, (value: number) => value / centred.length);
  }
  const reference = mean;
  return rotatePoints(meanRotation(centred.map((head) => alignmentRotation(reference, head))), reference);
}
