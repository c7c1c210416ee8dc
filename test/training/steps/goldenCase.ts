import { readFileSync } from 'node:fs';
import { parseNpz } from '../../../datasets/formats/numpy/npz.js';
import { parsePly } from '../../../datasets/formats/meshes/ply.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { regionNames, type VertexRegions } from '../../../datasets/vertexRegions.js';
import type { LossSettings } from '../../../training/losses/trainingLoss.js';
import { goldenArray, goldenFaces, goldenPath } from '../../support/golden/golden.js';

/** The two registrations of the golden case, mm. `[2, 642, 3]` */
export function goldenRegistrations(): Float32Array {
  const files = ['subject_000/seq_a/seq_a.000001.ply', 'subject_001/seq_a/seq_a.000002.ply'];
  const metres = files.map((file) => {
    const path = goldenPath(`data/registrations/${file}`);
    return parsePly(readFileSync(path), path).vertices;
  });
  return Float32Array.from(metres.flatMap((vertices) => Array.from(vertices, (value) => value * 1000)));
}

export function goldenRegions(): VertexRegions {
  const path = goldenPath('data/masks.npz');
  const arrays = parseNpz(readFileSync(path), path);
  const entries = regionNames.map((name) => [name, Array.from(arrays.get(name)?.data ?? [], Number)] as const);
  return Object.fromEntries(entries) as unknown as VertexRegions;
}

export function goldenTemplate(): Mesh {
  return { vertices: goldenRegistrations().subarray(0, 642 * 3), faces: goldenFaces() };
}

/** A golden array of two samples as float32, whole and by sample. */
export function goldenPair(name: string): { readonly whole: Float32Array; readonly samples: Float32Array[] } {
  const whole = Float32Array.from(goldenArray(name).data);
  const half = whole.length / 2;
  return { whole, samples: [whole.subarray(0, half), whole.subarray(half)] };
}

/** The published weights of a stage (method 4). */
export function publishedSettings(stage: 'coarse' | 'refinement'): LossSettings {
  const zero = { face: 0, ears: 0, eyeRegion: 0, lips: 0, neck: 0, nostrils: 0, scalp: 0, boundary: 0 };
  return {
    losses: { points: 1, pointsToSurface: 10, edges: stage === 'coarse' ? 1 : 0.3, gemanMcClureSigma: 10 },
    pointRegionWeights: { ...zero, eyeballs: 1 },
    edgeRegionWeights: {
      face: 2,
      ears: 3,
      eyeballs: 50,
      eyeRegion: 10,
      lips: stage === 'coarse' ? 3 : 10,
      neck: 1,
      nostrils: 10,
      scalp: 1,
      boundary: 10,
    },
  };
}
