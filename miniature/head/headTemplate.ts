import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexAdjacency, uniqueEdges } from '../../geometry/mesh/topology.js';
import { ear, eyeballCentres, eyeballRadius, features, headPoint, locate } from './headSurface.js';
import { bump, bump2, smoothStep } from './interpolation.js';
import { meshByRings, type RingMesh } from './ringMesher.js';
import { findRegions, type Regions } from './regions.js';

/** Which part of the head a vertex belongs to; the parts share no triangle. */
export const Part = { skin: 0, leftEyeball: 1, rightEyeball: 2 } as const;

/** The generated head: topology, mean shape, and what identities, expressions and textures hang on to. */
export interface HeadTemplate {
  /** Mean shape in mm (the file holds metres); skin first, then the left and the right eyeball. */
  readonly mesh: Mesh;
  /** `[L]` of `Part`. */
  readonly part: Uint8Array;
  /**
   * Where each vertex lies in its part's chart, a disc around the pole: v (cos θ, sin θ). `[L, 2]`
   * Charts have no seam, so they are interpolated over triangles; textures are painted on them.
   */
  readonly chart: Float32Array;
  /** mm: `[left, right]`. */
  readonly eyeballCentres: readonly [Float64Array, Float64Array];
  readonly regions: Regions;
}

/** FLAME's share of vertices in an eyeball. */
const eyeballShare = 546 / 5023;

/**
 * Generates the template with exactly `vertexCount` vertices (150 or more).
 * Deterministic: no random numbers are drawn.
 */
export function generateHeadTemplate(vertexCount: number): HeadTemplate {
  if (!Number.isInteger(vertexCount) || vertexCount < 150) {
    throw new RangeError(`a head template of ${vertexCount} vertices; expected a whole number, 150 or more`);
  }
  const eyeballCount = Math.round(eyeballShare * vertexCount);
  const skin = meshSkin(vertexCount - 2 * eyeballCount);
  const eyeball = meshByRings(
    { closed: true, rowWeight: () => Math.PI, ringWeight: (v) => Math.sin(Math.PI * v) },
    eyeballCount,
  );
  const skinCount = skin.v.length;
  const vertices = new Float32Array(3 * vertexCount);
  const part = new Uint8Array(vertexCount);
  const chart = new Float32Array(2 * vertexCount);
  const point = new Float64Array(3);
  for (let i = 0; i < skinCount; i++) {
    headPoint(skin.v[i]!, skin.theta[i]!, point);
    vertices.set(point, 3 * i);
    setChart(chart, i, skin.v[i]!, skin.theta[i]!);
  }
  const centres = eyeballCentres();
  const faces = [...skin.faces];
  centres.forEach((centre, eye) => {
    const start = skinCount + eye * eyeballCount;
    for (let i = 0; i < eyeballCount; i++) {
      const polar = Math.PI * eyeball.v[i]!;
      const theta = eyeball.theta[i]!;
      // The pole looks forward (+z); the ring's "right" is the viewer's when θ = 0 is up, hence the sign.
      vertices[3 * (start + i)] = centre[0]! + eyeballRadius * Math.sin(polar) * Math.sin(-theta);
      vertices[3 * (start + i) + 1] = centre[1]! + eyeballRadius * Math.sin(polar) * Math.cos(theta);
      vertices[3 * (start + i) + 2] = centre[2]! + eyeballRadius * Math.cos(polar);
      part[start + i] = eye === 0 ? Part.leftEyeball : Part.rightEyeball;
      setChart(chart, start + i, eyeball.v[i]!, theta);
    }
    for (const corner of eyeball.faces) faces.push(start + corner);
  });
  const mesh = { vertices, faces: Uint32Array.from(faces) };
  const regions = findRegions(mesh, part, skin.v, skin.theta, skin.boundary);
  return { mesh, part, chart, eyeballCentres: centres, regions };
}

function setChart(chart: Float32Array, vertex: number, v: number, theta: number): void {
  chart[2 * vertex] = v * Math.cos(theta);
  chart[2 * vertex + 1] = v * Math.sin(theta);
}

/** How long edges should be, relatively: short in the face and at the ears, long on the scalp. */
function edgeLength(x: number, y: number, z: number): number {
  const face = smoothStep(20, 75, z) * smoothStep(75, 50, y) * smoothStep(-105, -80, y);
  const ears = bump(Math.abs(x) - 78, 30) * bump2(y, z, [5, -14], 38, 28);
  return 1.7 - 1.1 * face - 0.7 * ears;
}

function meshSkin(count: number): RingMesh {
  const here = new Float64Array(3);
  const there = new Float64Array(3);
  const weight = (v: number, theta: number, dv: number, dTheta: number): number => {
    headPoint(v, theta, here);
    headPoint(Math.min(1, v + dv), theta + dTheta, there);
    const length = Math.hypot(there[0]! - here[0]!, there[1]! - here[1]!, there[2]! - here[2]!) / (dv + dTheta);
    return length / edgeLength(here[0]!, here[1]!, here[2]!);
  };
  const angles = [0, 0.3, 0.6, 1, 1.6, 2.4, 3.1];
  const mesh = meshByRings(
    {
      closed: false,
      rowWeight: (v) =>
        angles.reduce((sum, theta) => sum + weight(Math.min(v, 0.999), theta, 1e-3, 0), 0) / angles.length,
      ringWeight: (v, theta) => weight(v, theta, 0, 1e-3),
    },
    count,
  );
  snapToFeatures(mesh);
  return mesh;
}

/** Places that a vertex should lie on, however few there are. */
function featurePlaces(): { v: number; theta: number }[] {
  const places: { v: number; theta: number }[] = [];
  const both = (place: { v: number; theta: number }): void => {
    places.push(place);
    if (Math.abs(place.theta) > 0.02) places.push({ v: place.v, theta: -place.theta });
  };
  const order = [
    'eye',
    'noseTip',
    'mouth',
    'mouthCorner',
    'upperLip',
    'lowerLip',
    'chin',
    'noseWing',
    'noseBridge',
  ] as const;
  for (const name of order) {
    const [x, y] = features[name];
    both(locate((p) => Math.hypot(p[0]! - x, p[1]! - y) + (p[2]! < 20 ? 1e3 : 0)));
  }
  for (const [y, z] of [ear.middle, ear.top, ear.lobe]) {
    // The flap leans back by about half its height.
    both(locate((p) => Math.hypot(p[1]! - y, p[2]! - (z - 8)) + (p[0]! < 40 ? 1e3 : 0)));
  }
  return places;
}

/** Moves the nearest free inner vertex onto each feature, unless that would fold a triangle over. */
function snapToFeatures(mesh: RingMesh): void {
  const { v, theta, faces } = mesh;
  const edges = vertexAdjacency(uniqueEdges(faces), v.length);
  const fixed = new Uint8Array(v.length);
  fixed[0] = 1;
  for (const vertex of mesh.boundary) fixed[vertex] = 1;
  const here = new Float64Array(3);
  const target = new Float64Array(3);
  for (const place of featurePlaces()) {
    headPoint(place.v, place.theta, target);
    let nearest = { vertex: -1, distance: Infinity };
    for (let i = 0; i < v.length; i++) {
      if (fixed[i]) continue;
      headPoint(v[i]!, theta[i]!, here);
      const distance = Math.hypot(here[0]! - target[0]!, here[1]! - target[1]!, here[2]! - target[2]!);
      if (distance < nearest.distance) nearest = { vertex: i, distance };
    }
    const i = nearest.vertex;
    const before = { v: v[i]!, theta: theta[i]! };
    v[i] = place.v;
    theta[i] = place.theta;
    if (edges.starts[i + 1]! > edges.starts[i]! && isFolded(mesh, i)) {
      v[i] = before.v;
      theta[i] = before.theta;
    } else fixed[i] = 1;
  }
}

/** Whether a triangle at the vertex is turned over, or nearly flat, in the chart. */
function isFolded({ v, theta, faces }: RingMesh, vertex: number): boolean {
  const x = (i: number): number => v[i]! * Math.cos(theta[i]!);
  const y = (i: number): number => v[i]! * Math.sin(theta[i]!);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [faces[f]!, faces[f + 1]!, faces[f + 2]!];
    if (a !== vertex && b !== vertex && c !== vertex) continue;
    const [abX, abY, acX, acY] = [x(b) - x(a), y(b) - y(a), x(c) - x(a), y(c) - y(a)];
    const area = abX * acY - abY * acX;
    const longest = Math.max(abX ** 2 + abY ** 2, acX ** 2 + acY ** 2);
    if (area < 0.15 * longest) return true;
  }
  return false;
}
