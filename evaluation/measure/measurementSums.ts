import type { FrameId } from '../../datasets/types.js';
import type { ClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { buildTriangleTree, type TriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import { ErrorPartSums } from '../errors/errorParts.js';
import { Jitter } from '../errors/jitter.js';
import { aligned } from '../heads/rigidAlignment.js';
import { pointToSurface, vertexErrors } from '../errors/surfaceErrors.js';
import { measurementVersion, type MeasurementState, type SequenceState } from './measurementState.js';
import { ByMethod, exactSummary, summary } from './summaries.js';
import type { MeasuredFrame, MeasuredSet, Measurement } from './types.js';

/** Scan points farther from the head than this are not of it, mm. */
const farDistance = 50;
/** The registration's own entry in the jitter's sums. */
const truth = 'the truth';

interface OpenSequence {
  readonly subject: string;
  readonly sequence: string;
  frames: number;
  readonly errors: ByMethod;
}

/** Errors of all methods by set, region, sequence and frame. */
export class MeasurementSums {
  private readonly perFrame: Measurement['perFrame'][number][] = [];
  private readonly sequences: Measurement['sequences'][number][] = [];
  private readonly whole = new ByMethod();
  private readonly vertices = new ByMethod();
  private readonly alignedSurface = new ByMethod();
  private readonly alignedVertices = new ByMethod();
  private readonly parts = new ErrorPartSums();
  private readonly jitter = new Jitter();
  private points = 0;
  private farPoints = 0;
  private readonly regions = new Map<string, ByMethod>();
  private readonly regionsOfVertex: readonly (readonly string[])[];
  private readonly leftOut: Measurement['leftOut'][number][] = [];
  private sequence: OpenSequence | null = null;
  /** The first sequence, once another has begun: it may have begun elsewhere. */
  private first: OpenSequence | null = null;
  private tree: { readonly faces: Uint32Array; readonly tree: TriangleTree } | null = null;
  private frames = 0;

  constructor(private readonly set: MeasuredSet) {
    this.regionsOfVertex = namesByVertex(set.regions ?? {});
    for (const name of Object.keys(set.regions ?? {})) this.regions.set(name, new ByMethod());
  }

  /** Whether `add` needs the reference of a subject. */
  needsReference({ id, registration }: MeasuredFrame): boolean {
    return registration !== null && !this.parts.knows(id.subject);
  }

  /**
   * Frames come sequence by sequence.
   *
   * @param reference the subject's registration that its others are turned onto; its first one if absent.
   */
  add(measured: MeasuredFrame, reference?: Float32Array): void {
    const { id, heads, registration } = measured;
    const { subject, sequence, frame } = id;
    const scanPoints = this.nearPoints(measured);
    this.addBefore(measured);
    const vertices = verticesOf(measured);
    if (registration !== null) this.parts.add(subject, vertices, registration, reference);
    const errorsOfSequence = this.open(subject, sequence);
    errorsOfSequence.frames++;
    this.frames++;
    for (const [method, head] of heads) {
      const closest = pointToSurface(this.treeOf(head), head.vertices, scanPoints);
      this.whole.of(method).add(closest.distances);
      errorsOfSequence.errors.of(method).add(closest.distances);
      this.addRegions(method, closest, head.faces);
      if (registration !== null) {
        this.vertices.of(method).add(vertexErrors(head.vertices, registration));
        if (!this.isBaseline(method)) this.addAligned(method, head, registration, scanPoints);
      }
      const pointToSurfaceErrors = exactSummary(closest.distances);
      this.perFrame.push({ subject, sequence, frame, method, pointToSurface: pointToSurfaceErrors });
    }
  }

  /** One of the two frames before the first: only the trembling of those that follow depends on it. */
  addBefore(measured: MeasuredFrame): void {
    const { id, registration } = measured;
    const vertices = verticesOf(measured);
    this.jitter.add(id, registration === null ? vertices : new Map([...vertices, [truth, registration]]));
  }

  /** A frame without figures. */
  leaveOut(id: FrameId, reason: string): void {
    this.leftOut.push({ id, reason });
  }

  /** All that was added, to be merged with what was measured of other frames. */
  state(): MeasurementState {
    return {
      version: measurementVersion,
      ...{ frames: this.frames, points: this.points, farPoints: this.farPoints },
      whole: this.whole.state(),
      vertices: this.vertices.state(),
      alignedSurface: this.alignedSurface.state(),
      alignedVertices: this.alignedVertices.state(),
      regions: [...this.regions].map(([region, errors]) => [region, errors.state()]),
      parts: this.parts.state(),
      jitter: this.jitter.state(),
      firstSequence: this.first && stateOf(this.first),
      sequences: this.sequences,
      lastSequence: this.sequence && stateOf(this.sequence),
      ...{ perFrame: this.perFrame, leftOut: this.leftOut },
    };
  }

  /**
   * Adds what was measured of the frames that follow; nothing is added by `add` after that. What is counted, and with it
   * medians and percentiles, comes out as if all had been measured here. Sums do up to rounding (a part in 10¹² and less), for
   * they are added shard by shard: the same shards give the same bits.
   */
  merge(state: MeasurementState): void {
    this.frames += state.frames;
    this.points += state.points;
    this.farPoints += state.farPoints;
    for (const of of ['whole', 'vertices', 'alignedSurface', 'alignedVertices'] as const) this[of].merge(state[of]);
    for (const [region, errors] of state.regions) {
      const known = this.regions.get(region) ?? new ByMethod();
      this.regions.set(region, known);
      known.merge(errors);
    }
    this.parts.merge(state.parts);
    this.jitter.merge(state.jitter);
    const begun = state.firstSequence ?? state.lastSequence;
    if (begun !== null) this.mergeSequence(begun);
    if (state.firstSequence !== null) {
      this.closeSequence();
      for (const row of state.sequences) this.sequences.push(row);
      if (state.lastSequence !== null) this.mergeSequence(state.lastSequence);
    }
    for (const row of state.perFrame) this.perFrame.push(row);
    for (const row of state.leftOut) this.leftOut.push(row);
  }

  result(): Measurement {
    this.closeSequence();
    const first = this.first === null ? [] : rowsOf(this.first);
    return {
      version: 1,
      of: this.set.description,
      frames: this.frames,
      methods: this.whole.all().map(([method, errors]) => ({
        method,
        pointToSurface: summary(errors),
        cumulative: Array.from({ length: 100 }, (_, i) => errors.quantile((i + 1) / 100)),
        vertices: this.vertices.has(method) ? summary(this.vertices.of(method)) : null,
        aligned: this.alignedSurface.has(method)
          ? {
              pointToSurface: summary(this.alignedSurface.of(method)),
              vertices: summary(this.alignedVertices.of(method)),
            }
          : null,
        parts: this.parts.of(method),
        acceleration: this.jitter.of(method),
      })),
      farPoints: {
        beyond: farDistance,
        count: this.farPoints,
        share: this.points === 0 ? 0 : this.farPoints / this.points,
      },
      regions: [...this.regions].flatMap(([region, errors]) => {
        return errors.all().map(([method, of]) => ({ region, method, pointToSurface: summary(of) }));
      }),
      sequences: [...first, ...this.sequences],
      ...{ perFrame: this.perFrame, leftOut: this.leftOut },
    };
  }

  private isBaseline(method: string): boolean {
    return this.set.baselines?.has(method) ?? false;
  }

  /** Scan points of the head: what lies far from it (hair, shoulders, noise) is counted, and in no figure. */
  private nearPoints({ heads, registration, scanPoints }: MeasuredFrame): Float32Array {
    const [any] = heads.values();
    const model = [...heads].findLast(([method]) => !this.isBaseline(method))?.[1] ?? any;
    if (model === undefined) return scanPoints;
    const surface = registration ?? model.vertices;
    const { distances } = pointToSurface(this.treeOf(model), surface, scanPoints);
    this.points += distances.length;
    const far = distances.reduce((count, distance) => count + (distance > farDistance ? 1 : 0), 0);
    // Where most is far, the prediction is: that is an error to be seen.
    if (far === 0 || 2 * far > distances.length) return scanPoints;
    this.farPoints += far;
    const near = new Float32Array(3 * (distances.length - far));
    let at = 0;
    for (const [point, distance] of distances.entries()) {
      if (distance > farDistance) continue;
      near.set(scanPoints.subarray(3 * point, 3 * point + 3), at);
      at += 3;
    }
    return near;
  }

  private addAligned(method: string, head: Mesh, registration: Float32Array, scanPoints: Float32Array): void {
    const vertices = aligned(head.vertices, registration);
    this.alignedSurface.of(method).add(pointToSurface(this.treeOf(head), vertices, scanPoints).distances);
    this.alignedVertices.of(method).add(vertexErrors(vertices, registration));
  }

  private closeSequence(): void {
    if (this.sequence === null) return;
    if (this.first === null) this.first = this.sequence;
    else this.sequences.push(...rowsOf(this.sequence));
    this.sequence = null;
  }

  private open(subject: string, sequence: string): OpenSequence {
    const known = this.sequence;
    if (known?.subject === subject && known.sequence === sequence) return known;
    this.closeSequence();
    this.sequence = { subject, sequence, frames: 0, errors: new ByMethod() };
    return this.sequence;
  }

  private mergeSequence({ subject, sequence, frames, errors }: SequenceState): void {
    const open = this.open(subject, sequence);
    open.frames += frames;
    open.errors.merge(errors);
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

function verticesOf({ heads }: MeasuredFrame): ReadonlyMap<string, Float32Array> {
  return new Map([...heads].map(([method, head]) => [method, head.vertices]));
}

function stateOf({ errors, ...of }: OpenSequence): SequenceState {
  return { ...of, errors: errors.state() };
}

function rowsOf({ subject, sequence, frames, errors }: OpenSequence): Measurement['sequences'][number][] {
  return errors.all().map(([method, statistics]) => {
    return { subject, sequence, frames, method, pointToSurface: summary(statistics) };
  });
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
