import type { TriangleTree } from '../geometry/triangleTree.js';
import { ErrorStatistics } from './errorStatistics.js';
import { pointToSurface, vertexErrors } from './surfaceErrors.js';
import type { FrameEvaluation, MethodErrors } from './types.js';

/** A frame's heads by method, beside what they are measured against. */
export interface FrameToEvaluate {
  readonly subject: string;
  readonly sequence: string;
  readonly frame: string;
  /** `[L, 3]` each, mm. */
  readonly heads: ReadonlyMap<string, Float32Array>;
  /** `[N, 3]`, mm. */
  readonly scanPoints: Float32Array;
  /** `[L, 3]`, mm; null where there is none. */
  readonly registration: Float32Array | null;
}

const quantileShares = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

/** Errors of every method over all frames that are added: the same frames for each. */
export class MethodStatistics {
  private readonly pointToSurface = new Map<string, ErrorStatistics>();
  private readonly vertices = new Map<string, ErrorStatistics>();

  constructor(private readonly tree: TriangleTree) {}

  /** Measures a frame. @returns its mean point-to-surface error by method. */
  add({ subject, sequence, frame, heads, scanPoints, registration }: FrameToEvaluate): FrameEvaluation {
    const means: Record<string, number> = {};
    for (const [method, head] of heads) {
      const { distances } = pointToSurface(this.tree, head, scanPoints);
      statisticsOf(this.pointToSurface, method).add(distances);
      means[method] = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
      if (registration !== null) statisticsOf(this.vertices, method).add(vertexErrors(head, registration));
    }
    return { subject, sequence, frame, pointToSurface: means };
  }

  /** The rows of the table, in the order in which the methods came. */
  rows(): MethodErrors[] {
    return [...this.pointToSurface].map(([method, statistics]) => ({
      method,
      pointToSurface: statistics.summary(),
      pointToSurfaceQuantiles: quantileShares.map((share) => statistics.quantile(share)),
      vertices: this.vertices.get(method)?.summary() ?? null,
    }));
  }
}

function statisticsOf(all: Map<string, ErrorStatistics>, method: string): ErrorStatistics {
  const known = all.get(method) ?? new ErrorStatistics();
  all.set(method, known);
  return known;
}

/** Means over the frames of each sequence, in the order in which they come. */
export function sequenceMeans(frames: readonly FrameEvaluation[]): {
  subject: string;
  sequence: string;
  frames: number;
  pointToSurface: Record<string, number>;
}[] {
  const sequences = new Map<string, FrameEvaluation[]>();
  for (const frame of frames) {
    const name = JSON.stringify([frame.subject, frame.sequence]);
    sequences.set(name, [...(sequences.get(name) ?? []), frame]);
  }
  return [...sequences.values()].map((members) => {
    const pointToSurface: Record<string, number> = {};
    for (const method of Object.keys(members[0]!.pointToSurface)) {
      pointToSurface[method] =
        members.reduce((sum, member) => sum + (member.pointToSurface[method] ?? 0), 0) / members.length;
    }
    const { subject, sequence } = members[0]!;
    return { subject, sequence, frames: members.length, pointToSurface };
  });
}
