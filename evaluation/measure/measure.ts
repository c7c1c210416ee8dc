import { setImmediate as breathe } from 'node:timers/promises';
import { frameName } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { FrameId } from '../../datasets/types.js';
import type { ClosestPoints } from '../../geometry/closestPoint.js';
import { buildTriangleTree, type TriangleTree } from '../../geometry/triangleTree.js';
import { ErrorStatistics } from '../errorStatistics.js';
import { pointToSurface, vertexErrors } from '../surfaceErrors.js';
import { percentiles, type MeasuredFrame, type MeasuredSet, type Measurement, type Summary } from './types.js';

export interface MeasureOptions {
  readonly onFrame?: (done: number, total: number, problem: string | null) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures predictions against scans: from every scan point to the nearest point of the predicted mesh. A frame that cannot
 * be read is left out, for all methods, and noted. The next frame is read while one is measured.
 *
 * @throws Error when the signal is aborted.
 */
export async function measure(set: MeasuredSet, options: MeasureOptions = {}): Promise<Measurement> {
  const statistics = new Statistics(set);
  const leftOut: Measurement['leftOut'][number][] = [];
  // Sequence by sequence: the statistics of only one are under way at a time.
  const frames = bySequence(set.frames);
  const load = (id: FrameId | undefined) => {
    const reading = id === undefined ? null : set.load(id);
    reading?.catch(() => undefined);
    return reading;
  };
  let next = load(frames[0]);
  for (const [at, id] of frames.entries()) {
    options.signal?.throwIfAborted();
    const reading = next;
    next = load(frames[at + 1]);
    let problem: string | null = null;
    try {
      statistics.add((await reading)!);
    } catch (error) {
      if (!(error instanceof FrameUnreadable)) throw error;
      problem = `${frameName(id)}: ${error.reason}`;
      leftOut.push({ id, reason: error.reason });
    }
    options.onFrame?.(at + 1, frames.length, problem);
    await breathe();
  }
  return { ...statistics.result(), leftOut };
}

function bySequence(frames: readonly FrameId[]): FrameId[] {
  const sequences = new Map<string, FrameId[]>();
  for (const id of frames) {
    const name = `${id.subject}/${id.sequence}`;
    const members = sequences.get(name);
    if (members) members.push(id);
    else sequences.set(name, [id]);
  }
  return [...sequences.values()].flat();
}

/** Errors of all methods by set, region, sequence and frame. */
class Statistics {
  private readonly perFrame: Measurement['perFrame'][number][] = [];
  private readonly sequences: Measurement['sequences'][number][] = [];
  private readonly whole = new ByMethod();
  private readonly vertices = new ByMethod();
  private readonly regions = new Map<string, ByMethod>();
  private readonly regionsOfVertex: readonly (readonly string[])[];
  private sequence: { readonly of: FrameId; frames: number; readonly errors: ByMethod } | null = null;
  private tree: { readonly faces: Uint32Array; readonly tree: TriangleTree } | null = null;
  private frames = 0;

  constructor(private readonly set: MeasuredSet) {
    this.regionsOfVertex = namesByVertex(set.regions ?? {});
    for (const name of Object.keys(set.regions ?? {})) this.regions.set(name, new ByMethod());
  }

  add({ id, heads, scanPoints, registration }: MeasuredFrame): void {
    const { subject, sequence, frame } = id;
    if (this.sequence?.of.subject !== subject || this.sequence.of.sequence !== sequence) {
      this.closeSequence();
      this.sequence = { of: id, frames: 0, errors: new ByMethod() };
    }
    this.sequence.frames++;
    this.frames++;
    for (const [method, head] of heads) {
      const closest = pointToSurface(this.treeOf(head), head.vertices, scanPoints);
      this.whole.of(method).add(closest.distances);
      this.sequence.errors.of(method).add(closest.distances);
      this.addRegions(method, closest, head.faces);
      if (registration !== null) this.vertices.of(method).add(vertexErrors(head.vertices, registration));
      const pointToSurfaceErrors = exactSummary(closest.distances);
      this.perFrame.push({ subject, sequence, frame, method, pointToSurface: pointToSurfaceErrors });
    }
  }

  result(): Omit<Measurement, 'leftOut'> {
    this.closeSequence();
    return {
      version: 1,
      of: this.set.description,
      frames: this.frames,
      methods: this.whole.all().map(([method, errors]) => ({
        method,
        pointToSurface: summary(errors),
        cumulative: Array.from({ length: 100 }, (_, i) => errors.quantile((i + 1) / 100)),
        vertices: this.vertices.has(method) ? summary(this.vertices.of(method)) : null,
      })),
      regions: [...this.regions].flatMap(([region, errors]) => {
        return errors.all().map(([method, of]) => ({ region, method, pointToSurface: summary(of) }));
      }),
      sequences: this.sequences,
      perFrame: this.perFrame,
    };
  }

  private closeSequence(): void {
    if (this.sequence === null) return;
    const { of, frames, errors } = this.sequence;
    const { subject, sequence } = of;
    for (const [method, statistics] of errors.all()) {
      this.sequences.push({ subject, sequence, frames, method, pointToSurface: summary(statistics) });
    }
    this.sequence = null;
  }

  private addRegions(method: string, { faceIndices, barycentric, distances }: ClosestPoints, faces: Uint32Array): void {
    if (this.regions.size === 0) return;
    const found = new Map<string, number[]>();
    for (let point = 0; point < distances.length; point++) {
      const weights = barycentric.subarray(3 * point, 3 * point + 3);
      const corner = weights.indexOf(Math.max(weights[0]!, weights[1]!, weights[2]!));
      for (const region of this.regionsOfVertex[faces[3 * faceIndices[point]! + corner]!] ?? []) {
        const errors = found.get(region);
        if (errors) errors.push(distances[point]!);
        else found.set(region, [distances[point]!]);
      }
    }
    for (const [region, errors] of found) this.regions.get(region)!.of(method).add(errors);
  }

  private treeOf({ vertices, faces }: { vertices: Float32Array; faces: Uint32Array }): TriangleTree {
    const known = this.tree;
    if (known !== null && sameFaces(known.faces, faces)) return known.tree;
    const tree = buildTriangleTree({ vertices, faces });
    this.tree = { faces, tree };
    return tree;
  }
}

class ByMethod {
  private readonly statistics = new Map<string, ErrorStatistics>();

  of(method: string): ErrorStatistics {
    let found = this.statistics.get(method);
    if (!found) this.statistics.set(method, (found = new ErrorStatistics()));
    return found;
  }

  has(method: string): boolean {
    return this.statistics.has(method);
  }

  all(): [string, ErrorStatistics][] {
    return [...this.statistics];
  }
}

function summary(errors: ErrorStatistics): Summary {
  const { count, mean, median, standardDeviation } = errors.summary();
  return {
    count,
    mean,
    median,
    standardDeviation,
    largest: errors.quantile(1),
    percentiles: Object.fromEntries(percentiles.map((percent) => [percent, errors.quantile(percent / 100)])),
  };
}

/** Of one frame, from its errors themselves. */
export function exactSummary(errors: Float32Array): Summary {
  const sorted = errors.slice().sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, error) => sum + error, 0) / count;
  const variance = sorted.reduce((sum, error) => sum + (error - mean) ** 2, 0) / count;
  const quantile = (share: number): number => {
    const position = share * (count - 1);
    const below = Math.floor(position);
    const low = sorted[below]!;
    return low + (position - below) * ((sorted[below + 1] ?? low) - low);
  };
  return {
    count,
    mean,
    median: quantile(0.5),
    standardDeviation: Math.sqrt(variance),
    largest: sorted[count - 1]!,
    percentiles: Object.fromEntries(percentiles.map((percent) => [percent, quantile(percent / 100)])),
  };
}

function namesByVertex(regions: Readonly<Record<string, ArrayLike<number>>>): string[][] {
  const names: string[][] = [];
  for (const [region, vertices] of Object.entries(regions)) {
    for (const vertex of Array.from(vertices)) (names[vertex] ??= []).push(region);
  }
  return names;
}

function sameFaces(a: Uint32Array, b: Uint32Array): boolean {
  return a === b || (a.length === b.length && a.every((vertex, i) => vertex === b[i]));
}
