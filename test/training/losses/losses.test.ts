import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counterRandom } from '../../../geometry/random.js';
import { uniqueEdges } from '../../../geometry/mesh/topology.js';
import { tf, valueAndGradients } from '../../../tensor/index.js';
import { edgeLoss } from '../../../training/losses/edgeLoss.js';
import { pointLoss } from '../../../training/losses/pointLoss.js';
import { pointToSurfaceLoss } from '../../../training/losses/pointToSurfaceLoss.js';
import { TrainingLoss, type LossTargets } from '../../../training/losses/trainingLoss.js';
import { assertGolden, goldenArray, goldenFaces } from '../../support/golden/golden.js';
import {
  goldenPair,
  goldenRegions,
  goldenRegistrations,
  goldenTemplate,
  publishedSettings,
} from '../steps/goldenCase.js';

const registrations = goldenRegistrations();

for (const stage of ['coarse', 'refinement'] as const) {
  describe(`${stage}: losses and gradients equal the published system's`, () => {
    const prediction = goldenPair(`${stage}/losses/pred`);
    const scan = goldenPair(`${stage}/losses/scan`);

    test('points', () => {
      const weights = Float32Array.from(goldenArray(`${stage}/losses/point_weights`).data);
      const { loss, gradient } = pointLoss(prediction.whole, registrations, weights);
      assertGolden(`${stage}/losses/points`, [loss]);
      assertGolden(`${stage}/losses/points_grad`, gradient);
    });

    test('edges', () => {
      const edges = Uint32Array.from(goldenArray(`${stage}/losses/edges`).data);
      const weights = Float32Array.from(goldenArray(`${stage}/losses/edge_weights`).data);
      const { loss, gradient } = edgeLoss(prediction.whole, registrations, edges, weights, 642);
      assertGolden(`${stage}/losses/edge`, [loss]);
      assertGolden(`${stage}/losses/edge_grad`, gradient);
    });

    test('point-to-surface', () => {
      const faceIndices = goldenPair(`${stage}/losses/face_index`);
      const terms = [0, 1].map((sample) => {
        const [vertices, points, faces] = [prediction, scan, faceIndices].map((pair) => pair.samples[sample]!);
        return pointToSurfaceLoss(vertices!, goldenFaces(), points!, faces!, 10);
      });
      assertGolden(`${stage}/losses/points2surface`, [(terms[0]!.loss + terms[1]!.loss) / 2]);
      const gradient = terms.flatMap((term) => Array.from(term.gradient, (value) => value / 2));
      assertGolden(`${stage}/losses/points2surface_grad`, gradient);
    });

    for (const recorded of [true, false]) {
      test(`a training step's weighted loss, closest triangles ${recorded ? 'recorded' : 'searched'}`, () => {
        const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), publishedSettings(stage));
        const targets: LossTargets = {
          registrations,
          scanPoints: goldenPair(`${stage}/train/scan`).samples,
          ...(recorded ? { faceIndices: goldenPair(`${stage}/train/face_index`).samples } : {}),
        };
        const { terms } = loss.evaluate(goldenPair(`${stage}/train/pred`).whole, targets);
        const found = [terms.total, terms.points, terms.pointsToSurface, terms.edges];
        const expected = goldenArray(`${stage}/train/loss`).data;
        found.forEach((term, i) => {
          const relative = Math.abs(term / expected[i]! - 1);
          assert.ok(relative < 1e-6, `term ${i} is ${term}; published ${expected[i]}`);
        });
      });
    }

    test('mean distance to the surface', () => {
      const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), publishedSettings(stage));
      const { terms } = loss.evaluate(prediction.whole, { registrations, scanPoints: scan.samples });
      assertGolden(`${stage}/losses/points2surface_distance`, [terms.pointsToSurfaceDistance]);
    });
  });
}

describe('TrainingLoss', () => {
  const { gaussian } = counterRandom(1, 'losses');
  const prediction = registrations.map((value) => value + 2 * gaussian());
  const targets: LossTargets = { registrations, scanPoints: goldenPair('coarse/losses/scan').samples };
  const settings = publishedSettings('coarse');

  test('the gradient that reaches the network is that of the total: central differences', () => {
    const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), settings);
    const leaf = tf.variable(tf.tensor(prediction, [2, 642, 3]));
    const { value, gradients } = valueAndGradients(() => loss.differentiable(tf.mul(leaf, 1), targets), { leaf });
    assert.equal(value.loss.dataSync()[0], Math.fround(value.terms.total));
    const gradient = gradients.leaf!.dataSync();
    const moved = new Float32Array(prediction);
    for (let i = 5; i < moved.length; i += 251) {
      const at = (offset: number): number => {
        moved[i] = prediction[i]! + offset;
        return loss.evaluate(moved, targets).terms.total;
      };
      const difference =
        (at(0.01) - at(-0.01)) / (Math.fround(prediction[i]! + 0.01) - Math.fround(prediction[i]! - 0.01));
      moved[i] = prediction[i]!;
      assert.ok(
        Math.abs(difference - gradient[i]!) < 2e-3 * Math.max(1, Math.abs(difference)),
        `coordinate ${i}: ${gradient[i]}; central difference ${difference}`,
      );
    }
    tf.dispose([leaf, value.loss, gradients]);
  });

  test('losses leave no tensor behind', () => {
    const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), settings);
    const leaf = tf.variable(tf.tensor(prediction, [2, 642, 3]));
    const step = (): void => {
      const { value, gradients } = valueAndGradients(() => loss.differentiable(tf.mul(leaf, 1), targets), { leaf });
      tf.dispose([value.loss, gradients]);
    };
    step();
    const before = tf.memory().numTensors;
    step();
    assert.equal(tf.memory().numTensors, before);
    leaf.dispose();
  });

  test('a loss without weight is not computed; the distance is measured on demand', () => {
    const pretraining = { ...settings, losses: { ...settings.losses, pointsToSurface: 0, edges: 0 } };
    const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), pretraining);
    const plain = loss.evaluate(prediction, targets).terms;
    assert.deepEqual([plain.edges, plain.pointsToSurface, plain.pointsToSurfaceDistance], [0, 0, NaN]);
    assert.equal(plain.total, plain.points);
    const measured = loss.evaluate(prediction, targets, { measureDistance: true });
    assert.equal(measured.terms.total, plain.points);
    assert.ok(measured.terms.pointsToSurfaceDistance > 0.1);
  });

  test('a diverged prediction has a loss of NaN and no gradient', () => {
    const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), settings);
    const diverged = prediction.slice();
    diverged[100] = Infinity;
    const { terms, gradient } = loss.evaluate(diverged, targets);
    assert.ok(Number.isNaN(terms.total));
    assert.ok(gradient.every((value) => value === 0));
  });

  test('targets of another size are refused with both sizes', () => {
    const loss = new TrainingLoss(goldenTemplate(), goldenRegions(), settings);
    const one = { ...targets, scanPoints: targets.scanPoints.slice(0, 1) };
    assert.throws(() => loss.evaluate(prediction, one), /3852 .* expected 1926: 1 samples of 642 vertices/);
    const empty = { ...targets, scanPoints: [new Float32Array(0), new Float32Array(0)] };
    assert.throws(() => loss.evaluate(prediction, empty), /no scan points/);
  });
});

test('Geman–McClure bounds what a far point contributes by σ', () => {
  const vertices = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0);
  const at = (z: number): number =>
    pointToSurfaceLoss(vertices, Uint32Array.of(0, 1, 2), Float32Array.of(0.2, 0.2, z), [0], 10).loss;
  assert.ok(Math.abs(at(1) - Math.sqrt(100 / 101)) < 1e-9);
  assert.ok(Math.abs(at(1e5) - 10) < 1e-6);
  assert.ok(Math.abs(at(0) - 1e-8) < 1e-12, 'finite, with a finite gradient, on the surface');
});

test('edge lengths count, positions do not', () => {
  const edges = uniqueEdges(goldenFaces());
  const ones = new Float32Array(edges.length / 2).fill(1);
  const shifted = registrations.map((value) => value + 8);
  assert.ok(edgeLoss(shifted, registrations, edges, ones, 642).loss < 1e-9);
});
