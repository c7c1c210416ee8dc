import type { FrameId } from '../../datasets/types.js';
import type { ClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { buildTriangleTree, type TriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import { ErrorPartSums } from '../errors/errorParts.js';
import { Jitter } from '../errors/jitter.js';
import { aligned } from '../heads/rigidAlignment.js';
import { pointToSurface, vertexErrors } from '../errors/surfaceErrors.js';
import { ByMethod, exactSummary, summary } from './summaries.js';
import type { MeasuredFrame, MeasuredSet, Measurement } from './types.js';

/** Scan points farther from the head than this are not of it, mm. */
const farDistance = 50;
/** The registration's own entry in the jitter's sums. */
const truth = 'the truth';

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
  private sequence: { readonly of: FrameId; frames: number; readonly errors: ByMethod } | null = null;
  private tree: { readonly faces: Uint32Array; readonly tree: TriangleTree } | null = null;
  private frames = 0;

  constructor(private readonly set: MeasuredSet) {
    this.regionsOfVertex = namesByVertex(set.regions ?? {});
    for (const name of Object.keys(set.regions ?? {})) this.regions.set(name, new ByMethod());
  }

  add(measured: MeasuredFrame): void {
    const { id, heads, registration } = measured;
    const { subject, sequence, frame } = id;
    const scanPoints = this.nearPoints(measured);
    const vertices = new Map([...heads].map(([method, head]) => [method, head.vertices]));
    this.jitter.add(id, registration === null ? vertices : new Map([...vertices, [truth, registration]]));
    if (registration !== null) this.parts.add(subject, vertices, registration);
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
      if (registration !== null) {
        this.vertices.of(method).add(vertexErrors(head.vertices, registration));
        if (!this.isBaseline(method)) this.addAligned(method, head, registration, scanPoints);
      }
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
      sequences: this.sequences,
      perFrame: this.perFrame,
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
