import type { HeadTemplate } from './headTemplate.js';
import { valueNoise } from './noise.js';

/**
 * The surface that is rendered and scanned: the template's triangles cut into four, several times, and shifted along the
 * normals by a subject's own fine relief, so that a scan is close to the registration but not equal to it.
 */
export interface FineSurface {
  /** `[F, 3]` */
  readonly faces: Uint32Array;
  readonly vertexCount: number;
  /** Chart coordinates, `[N, 2]`, and part, `[N]`, as the template has them. */
  readonly chart: Float32Array;
  readonly part: Uint8Array;
  /** New vertex L + k lies in the middle of `parents[2 k]` and `parents[2 k + 1]`; parents come first. */
  readonly parents: Uint32Array;
  /** Positions in the mean head, mm, where the relief is looked up. `[N, 3]` */
  readonly ground: Float32Array;
}

/** Cuts the template's triangles `subdivisions` times. */
export function subdivideTemplate(template: HeadTemplate, subdivisions: number): FineSurface {
  const first = template.part.length;
  const parents: number[] = [];
  let faces = template.mesh.faces;
  for (let level = 0; level < subdivisions; level++) {
    const middles = new Map<number, number>();
    const count = first + parents.length / 2;
    const middle = (a: number, b: number): number => {
      const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
      let vertex = middles.get(key);
      if (vertex === undefined) {
        vertex = count + middles.size;
        middles.set(key, vertex);
        parents.push(a, b);
      }
      return vertex;
    };
    const finer = new Uint32Array(4 * faces.length);
    for (let f = 0; f < faces.length; f += 3) {
      const [a, b, c] = [faces[f]!, faces[f + 1]!, faces[f + 2]!];
      const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
      finer.set([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 4 * f);
    }
    faces = finer;
  }
  const vertexCount = first + parents.length / 2;
  const refined = { parents: Uint32Array.from(parents), vertexCount };
  const part = new Uint8Array(vertexCount);
  part.set(template.part);
  for (let k = 0; k < vertexCount - first; k++) part[first + k] = part[parents[2 * k]!]!;
  return {
    ...refined,
    faces,
    part,
    chart: refineChart(refined, template.chart),
    ground: refine(refined, template.mesh.vertices, 3),
  };
}

/** Carries values of the template's vertices over to all: a new vertex has its parents' mean. */
function refine(fine: Pick<FineSurface, 'parents' | 'vertexCount'>, values: Float32Array, width: number): Float32Array {
  const all = new Float32Array(fine.vertexCount * width);
  all.set(values);
  let next = values.length;
  for (let k = 0; k < fine.parents.length; k += 2) {
    const a = fine.parents[k]! * width;
    const b = fine.parents[k + 1]! * width;
    for (let i = 0; i < width; i++) all[next++] = (all[a + i]! + all[b + i]!) / 2;
  }
  return all;
}

/**
 * Chart coordinates of all vertices. Radius and direction are averaged apart: the straight line between two vertices of
 * the neck's edge would cut through the disc.
 */
function refineChart(fine: Pick<FineSurface, 'parents' | 'vertexCount'>, chart: Float32Array): Float32Array {
  const all = new Float32Array(2 * fine.vertexCount);
  all.set(chart);
  let next = chart.length;
  for (let k = 0; k < fine.parents.length; k += 2, next += 2) {
    const [ax, ay] = [all[2 * fine.parents[k]!]!, all[2 * fine.parents[k]! + 1]!];
    const [bx, by] = [all[2 * fine.parents[k + 1]!]!, all[2 * fine.parents[k + 1]! + 1]!];
    const [a, b] = [Math.hypot(ax, ay), Math.hypot(bx, by)];
    // A pole has no direction of its own.
    const dx = (a && ax / a) + (b && bx / b);
    const dy = (a && ay / a) + (b && by / b);
    const scale = (a + b) / 2 / (Math.hypot(dx, dy) || 1);
    all[next] = dx * scale;
    all[next + 1] = dy * scale;
  }
  return all;
}

/** A subject's relief: mm along the normal at each vertex, about ±0.3. Eyeballs have none. `[N]` */
export function fineRelief(fine: FineSurface, noiseSeed: number): Float32Array {
  return Float32Array.from(fine.part, (part, i) => {
    if (part !== 0) return 0;
    const [x = 0, y = 0, z = 0] = fine.ground.subarray(3 * i, 3 * i + 3);
    return (
      0.25 * valueNoise(noiseSeed + 21, x / 24, y / 24, z / 24) + 0.15 * valueNoise(noiseSeed + 22, x / 9, y / 9, z / 9)
    );
  });
}

/** A frame's fine surface in the world. */
export interface PosedSurface {
  /** `[N, 3]` mm */
  readonly vertices: Float32Array;
  /** Unit vectors, `[N, 3]`: the template's vertex normals, interpolated. */
  readonly normals: Float32Array;
}

/** @param vertices `[L, 3]` mm. @param normals `[L, 3]`, of the same vertices. */
export function poseFineSurface(
  fine: FineSurface,
  relief: Float32Array,
  vertices: Float32Array,
  normals: Float32Array,
): PosedSurface {
  const fineNormals = refine(fine, normals, 3);
  const fineVertices = refine(fine, vertices, 3);
  for (let i = 0; i < fine.vertexCount; i++) {
    const at = 3 * i;
    const length = Math.hypot(fineNormals[at]!, fineNormals[at + 1]!, fineNormals[at + 2]!) || 1;
    for (let axis = 0; axis < 3; axis++) {
      fineNormals[at + axis]! /= length;
      fineVertices[at + axis]! += relief[i]! * fineNormals[at + axis]!;
    }
  }
  return { vertices: fineVertices, normals: fineNormals };
}
