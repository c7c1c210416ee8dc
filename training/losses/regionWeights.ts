import type { RegionWeights } from '../../configs/schema/training.js';
import type { RegionName, VertexRegions } from '../../datasets/vertexRegions.js';
import { expandRegion, vertexAdjacency, type Adjacency } from '../../geometry/mesh/topology.js';

interface Rule {
  readonly region: RegionName;
  readonly weight: keyof RegionWeights;
  /** Rings of neighbours around the region that get half its weight; for edges only. */
  readonly rings: number;
}

const eyeballs: Rule[] = [
  { region: 'left_eyeball', weight: 'eyeballs', rings: 0 },
  { region: 'right_eyeball', weight: 'eyeballs', rings: 0 },
];
const ears: Rule[] = [
  { region: 'left_ear', weight: 'ears', rings: 1 },
  { region: 'right_ear', weight: 'ears', rings: 1 },
];
const face: Rule = { region: 'face', weight: 'face', rings: 0 };
const others: Rule[] = [
  { region: 'left_eye_region', weight: 'eyeRegion', rings: 3 },
  { region: 'right_eye_region', weight: 'eyeRegion', rings: 3 },
  { region: 'lips', weight: 'lips', rings: 3 },
  { region: 'neck', weight: 'neck', rings: 0 },
  { region: 'nostrils', weight: 'nostrils', rings: 0 },
  { region: 'scalp', weight: 'scalp', rings: 0 },
  { region: 'boundary', weight: 'boundary', rings: 1 },
];

/** Later regions overwrite earlier ones (method 4); the two losses differ in where the ears come. */
const pointOrder = [face, ...ears, ...eyeballs, ...others];
const edgeOrder = [face, ...eyeballs, ...ears, ...others];

/**
 * Weights of the points loss.
 *
 * @returns `[L]`; 1 in no region. The caller's.
 * @throws RangeError when a region names a vertex that the template does not have.
 */
export function pointWeights(regions: VertexRegions, weights: RegionWeights, vertexCount: number): Float32Array {
  return overwriteInOrder(pointOrder, regions, weights, vertexCount, null);
}

/**
 * Weights of the edge regulariser: the mean of its two vertices' weights.
 *
 * @param edges `[E, 2]`, `uniqueEdges` of the template.
 * @returns `[E]`; the caller's.
 * @throws RangeError when a region names a vertex that the template does not have.
 */
export function edgeWeights(
  regions: VertexRegions,
  weights: RegionWeights,
  edges: Uint32Array,
  vertexCount: number,
): Float32Array {
  const ofVertices = overwriteInOrder(edgeOrder, regions, weights, vertexCount, vertexAdjacency(edges, vertexCount));
  return Float32Array.from({ length: edges.length / 2 }, (_, edge) => {
    return (ofVertices[edges[2 * edge]!]! + ofVertices[edges[2 * edge + 1]!]!) / 2;
  });
}

/** @param adjacency null: no rings. */
function overwriteInOrder(
  order: readonly Rule[],
  regions: VertexRegions,
  weights: RegionWeights,
  vertexCount: number,
  adjacency: Adjacency | null,
): Float32Array {
  const result = new Float32Array(vertexCount).fill(1);
  for (const rule of order) {
    const region = regions[rule.region];
    checkRegion(rule.region, region, vertexCount);
    const weight = weights[rule.weight];
    if (adjacency !== null) {
      for (const vertex of expandRegion(adjacency, region, rule.rings)) result[vertex] = weight / 2;
    }
    for (let i = 0; i < region.length; i++) result[region[i]!] = weight;
  }
  return result;
}

function checkRegion(name: string, region: ArrayLike<number>, vertexCount: number): void {
  for (let i = 0; i < region.length; i++) {
    if (Number.isInteger(region[i]) && region[i]! >= 0 && region[i]! < vertexCount) continue;
    throw new RangeError(
      `region ${name} of the masks names vertex ${region[i]}, but the template has ${vertexCount} vertices: ` +
        'masks and template must belong together',
    );
  }
}
