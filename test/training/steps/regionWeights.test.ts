import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uniqueEdges } from '../../../geometry/mesh/topology.js';
import { regionNames, type VertexRegions } from '../../../datasets/vertexRegions.js';
import { edgeWeights, pointWeights } from '../../../training/losses/regionWeights.js';
import { assertGolden, goldenFaces } from '../../support/golden/golden.js';
import { goldenRegions, publishedSettings } from './goldenCase.js';

for (const stage of ['coarse', 'refinement'] as const) {
  describe(`${stage} weights equal the published system's`, () => {
    const settings = publishedSettings(stage);
    test('of points', () => {
      assertGolden(`${stage}/losses/point_weights`, pointWeights(goldenRegions(), settings.pointRegionWeights, 642));
    });
    test('of edges', () => {
      const edges = uniqueEdges(goldenFaces());
      assertGolden(
        `${stage}/losses/edge_weights`,
        edgeWeights(goldenRegions(), settings.edgeRegionWeights, edges, 642),
      );
    });
  });
}

/** A chain of vertices 0 – 1 – … – 13 (triangles would only add neighbours). */
const chain = Uint32Array.from(Array.from({ length: 13 }, (_, i) => [i, i + 1]).flat());
const none = Object.fromEntries(regionNames.map((name) => [name, []])) as unknown as VertexRegions;
const { edgeRegionWeights: weights } = publishedSettings('coarse');

test('of points the eyeballs overwrite the ears, of edges the ears the eyeballs', () => {
  const regions = { ...none, left_ear: [4], right_eyeball: [4], face: [4, 5] };
  assert.deepEqual([...pointWeights(regions, weights, 14).subarray(3, 7)], [1, 50, 2, 1]);
  // One ring around the ear at half its weight, over the face.
  assert.deepEqual([...edgeWeights(regions, weights, chain, 14).subarray(2, 6)], [1.25, 2.25, 2.25, 1.25]);
});

test('rings are for edges only, at half weight, and overwrite earlier regions', () => {
  const regions = { ...none, lips: [7], left_eyeball: [9], nostrils: [12] };
  const expected = [1, 1, 1, 1, 1.5, 1.5, 1.5, 3, 1.5, 1.5, 1.5, 1, 10, 1];
  const found = edgeWeights(regions, weights, chain, 14);
  found.forEach((weight, edge) => assert.equal(weight, (expected[edge]! + expected[edge + 1]!) / 2, `edge ${edge}`));
  assert.deepEqual([...pointWeights(regions, weights, 14).subarray(6, 13)], [1, 3, 1, 50, 1, 1, 10]);
});

test('masks of another template are refused', () => {
  assert.throws(() => pointWeights({ ...none, scalp: [3, 14] }, weights, 14), /scalp .* vertex 14, .* 14 vertices/);
});
