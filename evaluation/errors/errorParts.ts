import { alignmentRotation, centroid, translated } from '../heads/rigidAlignment.js';
import { rotatePoints } from '../../geometry/rotation.js';
import type { ErrorParts } from '../types.js';

/** What is summed of one subject, in the frame of its first registration. */
interface SubjectSums {
  readonly reference: Float32Array;
  frames: number;
  readonly truth: Float64Array;
  truthSquares: number;
  readonly methods: Map<string, MethodSums>;
}

interface MethodSums {
  readonly residual: Float64Array;
  residualSquares: number;
  /** Before alignment. */
  errorSquares: number;
}

/**
 * Splits the errors of vertices, in mean squares: *pose* is what rigid alignment of each frame takes away; *identity* is a
 * subject's mean residual after it, as a wrong shape of the skull is; *expression* is the rest, that changes from frame to
 * frame. Of the true expression's displacement (a registration from its subject's mean) a method explains the share that
 * its expression error is smaller by.
 */
export class ErrorPartSums {
  private readonly subjects = new Map<string, SubjectSums>();
  private vertexCount = 0;

  /** @param heads vertices `[L, 3]` by method, mm. @param registration `[L, 3]`, mm. */
  add(subject: string, heads: ReadonlyMap<string, Float32Array>, registration: Float32Array): void {
    this.vertexCount = registration.length / 3;
    const centredTruth = centred(registration);
    const sums = this.subjectOf(subject, centredTruth);
    const truth = rotatePoints(alignmentRotation(centredTruth, sums.reference), centredTruth);
    sums.frames++;
    sums.truthSquares += accumulate(sums.truth, truth, null);
    for (const [method, head] of heads) {
      const centredHead = centred(head);
      const posed = rotatePoints(alignmentRotation(centredHead, truth), centredHead);
      let of = sums.methods.get(method);
      if (of === undefined) {
        of = { residual: new Float64Array(head.length), residualSquares: 0, errorSquares: 0 };
        sums.methods.set(method, of);
      }
      of.residualSquares += accumulate(of.residual, posed, truth);
      for (let i = 0; i < head.length; i++) of.errorSquares += (head[i]! - registration[i]!) ** 2;
    }
  }

  /** Root mean squares by vertex, mm; null for a method that was not added. */
  of(method: string): ErrorParts | null {
    const sum = { frames: 0, error: 0, aligned: 0, identity: 0, trueExpression: 0 };
    for (const { frames, truth, truthSquares, methods } of this.subjects.values()) {
      const found = methods.get(method);
      if (found === undefined) return null;
      sum.frames += frames;
      sum.error += found.errorSquares;
      sum.aligned += found.residualSquares;
      sum.identity += squares(found.residual) / frames;
      sum.trueExpression += truthSquares - squares(truth) / frames;
    }
    if (sum.frames === 0) return null;
    const rootMean = (total: number): number => Math.sqrt(Math.max(0, total) / (sum.frames * this.vertexCount));
    const expression = sum.aligned - sum.identity;
    const moves = sum.trueExpression > 1e-6 * sum.frames * this.vertexCount;
    return {
      pose: rootMean(sum.error - sum.aligned),
      identity: rootMean(sum.identity),
      expression: rootMean(expression),
      expressionExplained: moves ? 1 - expression / sum.trueExpression : null,
    };
  }

  private subjectOf(subject: string, reference: Float32Array): SubjectSums {
    const known = this.subjects.get(subject);
    if (known !== undefined) return known;
    const truth = new Float64Array(reference.length);
    const made: SubjectSums = { reference, frames: 0, truth, truthSquares: 0, methods: new Map() };
    this.subjects.set(subject, made);
    return made;
  }
}

function centred(points: Float32Array): Float32Array {
  const [x, y, z] = centroid(points);
  return translated(points, [-x, -y, -z]);
}

/** Adds a − b to a sum. @returns the squares of what was added */
function accumulate(sum: Float64Array, a: Float32Array, b: Float32Array | null): number {
  let total = 0;
  for (let i = 0; i < sum.length; i++) {
    const difference = a[i]! - (b?.[i] ?? 0);
    sum[i]! += difference;
    total += difference * difference;
  }
  return total;
}

function squares(values: Float64Array): number {
  return values.reduce((total, value) => total + value * value, 0);
}
