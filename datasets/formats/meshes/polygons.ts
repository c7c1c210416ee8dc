import earcut, { deviation } from 'earcut';
import { FormatError, listed } from '../formatError.js';

/** Clipping ears takes quadratic time; a convex polygon may have any number of corners. */
const mostConcaveCorners = 256;
/** Relative to the polygon's area: what rounding of the positions may make of it. */
const areaTolerance = 1e-3;

/** Collects the faces of a mesh, triangles and polygons, until all of its vertices are known. */
export class Faces {
  private readonly corners: number[] = [];
  private readonly sizes: number[] = [];
  private readonly places: number[] = [];
  private isTriangles = true;

  /** @param place of the face in its file, for messages: its line, or its number. */
  add(corners: ArrayLike<number>, place: number): void {
    for (let i = 0; i < corners.length; i++) this.corners.push(corners[i]!);
    this.sizes.push(corners.length);
    this.places.push(place);
    if (corners.length !== 3) this.isTriangles = false;
  }

  /**
   * A strip of triangles: each corner makes one with the two before it, every other one turned around. -1 ends a strip.
   * Triangles without area, with which writers join strips, are left out.
   */
  addStrip(corners: readonly number[], place: number): void {
    let first = 0;
    for (let i = 0; i < corners.length; i++) {
      if (corners[i] === -1) first = i + 1;
      if (i < first + 2) continue;
      const [a, b, c] = [corners[i - 2]!, corners[i - 1]!, corners[i]!];
      if (a === b || b === c || a === c) continue;
      this.add((i - first) % 2 === 0 ? [a, b, c] : [b, a, c], place);
    }
  }

  /**
   * The triangles. A convex polygon becomes a fan from its first corner; a concave one is cut in its plane.
   *
   * @param vertices `[n, 3]`
   * @param where what `place` counts: `line`, `face`.
   * @param first what the file calls its first vertex: 0 or 1.
   * @returns `[f, 3]`
   * @throws FormatError for a corner that is no vertex, and for a polygon that crosses itself.
   */
  triangles(vertices: Float32Array, file: string, where: string, first: 0 | 1): Uint32Array {
    const count = vertices.length / 3;
    const triangles: number[] = [];
    let start = 0;
    for (const [face, size] of this.sizes.entries()) {
      const problem = (expected: string, found: string): FormatError =>
        new FormatError({ file, where: `${where} ${this.places[face]}`, expected, found });
      for (let i = start; i < start + size; i++) {
        const corner = this.corners[i]!;
        if (corner < count) continue;
        const expected = first === 0 ? `faces of vertices 0 to ${count - 1}` : `faces of ${count} vertices`;
        throw problem(expected, `one with vertex ${corner + first}`);
      }
      if (!this.isTriangles) addPolygon(this.corners.slice(start, start + size), vertices, triangles, problem);
      start += size;
    }
    return Uint32Array.from(this.isTriangles ? this.corners : triangles);
  }
}

function addPolygon(
  corners: readonly number[],
  vertices: Float32Array,
  triangles: number[],
  problem: (expected: string, found: string) => FormatError,
): void {
  if (corners.length === 3) {
    triangles.push(corners[0]!, corners[1]!, corners[2]!);
    return;
  }
  const outline = inItsPlane(corners, vertices);
  if (outline === null || isConvex(outline)) {
    for (let i = 2; i < corners.length; i++) triangles.push(corners[0]!, corners[i - 1]!, corners[i]!);
    return;
  }
  const shown = `${corners.length} corners: ${listed(corners.map(String), 6)}`;
  if (corners.length > mostConcaveCorners) {
    throw problem(`a concave polygon of at most ${mostConcaveCorners} corners`, shown);
  }
  const cut = earcut(outline);
  if (!(deviation(outline, null, 2, cut) <= areaTolerance)) {
    throw problem('a polygon that does not cross itself', shown);
  }
  // The triangles turn as the polygon does: its outline is counter-clockwise, seen from where its normal points.
  for (let i = 0; i < cut.length; i += 3) {
    const triangle = [cut[i]!, cut[i + 1]!, cut[i + 2]!] as const;
    const [a, b, c] = isCounterClockwise(outline, triangle) ? triangle : [triangle[2], triangle[1], triangle[0]];
    triangles.push(corners[a]!, corners[b]!, corners[c]!);
  }
}

/**
 * A polygon's corners in the plane of its mean normal (Newell's), counter-clockwise: `[n, 2]`; null where it has no area.
 */
function inItsPlane(corners: readonly number[], vertices: Float32Array): Float64Array | null {
  const at = (corner: number, axis: number): number =>
    vertices[3 * corners[corner % corners.length]! + axis]! - vertices[3 * corners[0]! + axis]!;
  const normal = [0, 0, 0];
  for (let i = 0; i < corners.length; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      normal[axis]! += at(i, u) * at(i + 1, v) - at(i, v) * at(i + 1, u);
    }
  }
  const length = Math.hypot(...normal);
  if (!(length > 0)) return null;
  const [x, y, z] = normal.map((value) => value / length) as [number, number, number];
  // Two axes that make a right-handed system with the normal.
  const least =
    Math.abs(x) <= Math.abs(y) && Math.abs(x) <= Math.abs(z)
      ? [1, 0, 0]
      : Math.abs(y) <= Math.abs(z)
        ? [0, 1, 0]
        : [0, 0, 1];
  const right = cross(least as [number, number, number], [x, y, z]);
  const up = cross([x, y, z], right);
  const outline = new Float64Array(2 * corners.length);
  for (let i = 0; i < corners.length; i++) {
    outline[2 * i] = at(i, 0) * right[0] + at(i, 1) * right[1] + at(i, 2) * right[2];
    outline[2 * i + 1] = at(i, 0) * up[0] + at(i, 1) * up[1] + at(i, 2) * up[2];
  }
  return outline;
}

type Vector = readonly [number, number, number];

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** Whether a counter-clockwise outline turns left at every corner, once around: a star turns left, too, but twice. */
function isConvex(outline: Float64Array): boolean {
  const count = outline.length / 2;
  let turned = 0;
  for (let i = 0; i < count; i++) {
    const [a, b, c] = [i, (i + 1) % count, (i + 2) % count];
    const [fromX, fromY] = [outline[2 * b]! - outline[2 * a]!, outline[2 * b + 1]! - outline[2 * a + 1]!];
    const [toX, toY] = [outline[2 * c]! - outline[2 * b]!, outline[2 * c + 1]! - outline[2 * b + 1]!];
    const turn = Math.atan2(fromX * toY - fromY * toX, fromX * toX + fromY * toY);
    if (turn < -1e-4) return false;
    turned += turn;
  }
  return turned < 3 * Math.PI;
}

function isCounterClockwise(outline: Float64Array, [a, b, c]: readonly [number, number, number]): boolean {
  const side = (from: number, to: number): Vector => [
    outline[2 * to]! - outline[2 * from]!,
    outline[2 * to + 1]! - outline[2 * from + 1]!,
    0,
  ];
  return cross(side(a, b), side(a, c))[2] >= 0;
}
