import { alignmentRotation, centroid, translated } from '../heads/rigidAlignment.js';
import { rotatePoints } from '../../geometry/rotation.js';
import type { ErrorParts } from '../types.js';
import { decodeNumbers, encodeNumbers } from './encodedNumbers.js';

/** What is summed of one subject, in the frame of its reference. */
interface SubjectSums {
  /** Empty where it was merged. */
  readonly reference: Float32Array;
  frames: number;
  readonly truth: Float64Array;
  truthSquares: number;
  readonly methods: Map<string, MethodSums>;
}

/** What is summed of subjects, as JSON; arrays are encoded numbers. */
export interface ErrorPartState {
  readonly vertexCount: number;
  readonly subjects: readonly {
    readonly subject: string;
    readonly frames: number;
    readonly truth: string;
    readonly truthSquares: number;
    readonly methods: readonly {
      readonly method: string;
      readonly residual: string;
      readonly residualSquares: number;
      readonly errorSquares: number;
    }[];
  }[];
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

  /**
   * @param heads vertices `[L, 3]` by method, mm. @param registration `[L, 3]`, mm.
   * @param reference `[L, 3]`, mm, of the subject, the same wherever it is added; its first registration if absent.
   */
  add(
    subject: string,
    heads: ReadonlyMap<string, Float32Array>,
    registration: Float32Array,
    reference: Float32Array = registration,
  ): void {
    this.vertexCount = registration.length / 3;
    const centredTruth = centred(registration);
    const sums = this.subjectOf(subject, reference);
    const truth = rotatePoints(alignmentRotation(centredTruth, sums.reference), centredTruth);
    sums.frames++;
    sums.truthSquares += accumulate(sums.truth, truth, null);
    for (const [method, head] of heads) {
      const centredHead = centred(head);
      const posed = rotatePoints(alignmentRotation(centredHead, truth), centredHead);
      let of = sums.methods.get(method);
      if (of === undefined) {
        of = emptyMethod(head.length);
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

  /** Whether a subject has its reference. */
  knows(subject: string): boolean {
    return this.subjects.has(subject);
  }

  /** All that was added, to be merged elsewhere. */
  state(): ErrorPartState {
    const subjects = [...this.subjects].map(([subject, { frames, truth, truthSquares, methods }]) => ({
      ...{ subject, frames, truth: encodeNumbers(truth), truthSquares },
      methods: [...methods].map(([method, { residual, residualSquares, errorSquares }]) => {
        return { method, residual: encodeNumbers(residual), residualSquares, errorSquares };
      }),
    }));
    return { vertexCount: this.vertexCount, subjects };
  }

  /** Adds what others have summed of the same references; of these subjects nothing can be added after it. */
  merge({ vertexCount, subjects }: ErrorPartState): void {
    if (vertexCount > 0) this.vertexCount = vertexCount;
    for (const { subject, frames, truth, truthSquares, methods } of subjects) {
      const sums = this.subjects.get(subject) ?? emptySums(new Float32Array(0), 3 * vertexCount);
      this.subjects.set(subject, sums);
      sums.frames += frames;
      sums.truthSquares += truthSquares;
      addTo(sums.truth, decodeNumbers(truth));
      for (const { method, residual, residualSquares, errorSquares } of methods) {
        const of = sums.methods.get(method) ?? emptyMethod(3 * vertexCount);
        sums.methods.set(method, of);
        addTo(of.residual, decodeNumbers(residual));
        of.residualSquares += residualSquares;
        of.errorSquares += errorSquares;
      }
    }
  }

  private subjectOf(subject: string, reference: Float32Array): SubjectSums {
    const known = this.subjects.get(subject);
    if (known !== undefined) return known;
    const made = emptySums(centred(reference), reference.length);
    this.subjects.set(subject, made);
    return made;
  }
}

function emptySums(reference: Float32Array, length: number): SubjectSums {
  return { reference, frames: 0, truth: new Float64Array(length), truthSquares: 0, methods: new Map() };
}

function emptyMethod(length: number): MethodSums {
  return { residual: new Float64Array(length), residualSquares: 0, errorSquares: 0 };
}

/** @throws RangeError for numbers of another topology */
function addTo(sum: Float64Array, more: Float64Array): void {
  if (sum.length !== more.length) throw new RangeError(`${more.length} sums to add to ${sum.length}`);
  for (let i = 0; i < sum.length; i++) sum[i]! += more[i]!;
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
