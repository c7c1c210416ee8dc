import { rotatePoints } from '../../geometry/rotation.js';
import { alignHeads, orientedMean, type AlignedHeads } from './meanHead.js';
import { nearestVector, principalComponents, type PrincipalComponents } from './principalComponents.js';
import { alignmentRotation, centroid, translated, transposed } from './rigidAlignment.js';

/** How many principal components the table fits. */
export const componentCounts = [5, 20, 50] as const;

/**
 * What is known of heads without looking at a picture: the training registrations' mean and principal components. Placed
 * by the truth they are the baselines that a model has to beat: with the true pose, a model that only learns where a head
 * is and how it is turned is as good as `meanAt`.
 */
export class TrainingHeads {
  /** The mean in the heads' mean orientation, centred at 0, `[L, 3]`, mm. */
  readonly mean: Float32Array;
  private readonly aligned: AlignedHeads;
  private readonly components: PrincipalComponents;

  /** @param heads one or more training registrations `[L, 3]`, mm. */
  constructor(heads: readonly Float32Array[]) {
    this.aligned = alignHeads(heads);
    this.mean = orientedMean(this.aligned);
    this.components = principalComponents(this.aligned.heads, this.aligned.mean, Math.max(...componentCounts));
  }

  /** How many components there are: fewer than asked for where heads are few. */
  get componentCount(): number {
    return this.components.directions.length;
  }

  /** The mean head at the place and in the orientation of another, found by rigid alignment. @returns the caller's */
  meanAt(head: Float32Array): Float32Array {
    return this.fitted(head, 0);
  }

  /** The head nearest to another that the mean and so many components can make, at the other's place. @returns the caller's */
  fitted(head: Float32Array, components: number): Float32Array {
    const [x, y, z] = centroid(head);
    const centred = translated(head, [-x, -y, -z]);
    const rotation = alignmentRotation(centred, this.aligned.mean);
    const nearest = nearestVector(this.components, rotatePoints(rotation, centred), components);
    return translated(rotatePoints(transposed(rotation), nearest), [x, y, z]);
  }
}
