import { rotatePoints } from '../../geometry/rotation.js';
import { alignmentRotation, centroid, meanRotation, translated } from './rigidAlignment.js';

const alignments = 4;

/** Heads of one topology without their poses. */
export interface AlignedHeads {
  /** `[L, 3]`, mm, centred at 0. */
  readonly mean: Float32Array;
  /** Each `[L, 3]`, mm, centred at 0 and rotated onto the mean. */
  readonly heads: readonly Float32Array[];
  /** The rotation of each, from the mean to the head as it was. */
  readonly orientations: readonly Float64Array[];
}

/**
 * Centres heads at the mean of their vertices and rotates them (never scales) onto their mean, which is taken anew, four
 * times over (generalised Procrustes).
 *
 * @param heads one or more `[L, 3]`, mm, at their places in the world.
 */
export function alignHeads(heads: readonly Float32Array[]): AlignedHeads {
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
  return {
    mean: reference,
    heads: centred.map((head) => rotatePoints(alignmentRotation(head, reference), head)),
    orientations: centred.map((head) => alignmentRotation(reference, head)),
  };
}

/**
 * The mean in the mean orientation of the heads: a guess of a head about which only the place is known.
 *
 * @returns `[L, 3]`, mm, centred at 0; the caller's.
 */
export function orientedMean({ mean, orientations }: AlignedHeads): Float32Array {
  return rotatePoints(meanRotation(orientations), mean);
}

/** The mean head in the mean orientation. @param heads one or more `[L, 3]`, mm. @returns `[L, 3]`, mm; the caller's. */
export function meanHead(heads: readonly Float32Array[]): Float32Array {
  return orientedMean(alignHeads(heads));
}
