import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findClosestPoints } from '../../../geometry/closestPoint/closestPoint.js';
import { counterRandom } from '../../../geometry/random.js';
import { sampleSurface } from '../../../geometry/mesh/surfaceSampling.js';
import { buildTriangleTree, refitTriangleTree } from '../../../geometry/closestPoint/triangleTree.js';
import { generateHeadTemplate } from '../../../miniature/head/headTemplate.js';
import { pointToSurfaceLoss } from '../../../training/losses/pointToSurfaceLoss.js';
import { TrainingLoss } from '../../../training/losses/trainingLoss.js';
import { publishedSettings } from '../steps/goldenCase.js';

const { mesh: template, regions } = generateHeadTemplate(1500);
const length = template.vertices.length;
const { gaussian, uniform } = counterRandom(1, 'loss threads');
const settings = publishedSettings('coarse');
const onlySurface = { ...settings, losses: { ...settings.losses, points: 0, edges: 0, pointsToSurface: 1 } };

const heads = (samples: number, place: (value: number) => number): Float32Array =>
  Float32Array.from({ length: samples * length }, (_, i) => place(template.vertices[i % length]!));
const scan = (count: number): Float32Array =>
  sampleSurface(template, count, uniform).points.map((value) => value + gaussian());

/** A trained network's heads, a new one's (far from all points), and a smaller batch, as a validation's last one is. */
const batches = [
  { prediction: heads(2, (value) => value + gaussian()), scanPoints: [scan(3000), scan(2500)] },
  { prediction: heads(2, () => 0.7 * gaussian()), scanPoints: [scan(3000), scan(100)] },
  { prediction: heads(1, (value) => 0.3 * value + 10 * gaussian()), scanPoints: [scan(2500)] },
  { prediction: heads(3, (value) => value + gaussian()), scanPoints: [scan(4000), scan(10), scan(1200)] },
].map((batch) => ({ ...batch, registrations: batch.prediction }));

const losses = [1, 2, 4].map((threads) => new TrainingLoss(template, regions, onlySurface, threads));
after(() => Promise.all(losses.map((loss) => loss.close())));

test('any number of threads gives the bits of a search and a sum in one', { timeout: 60_000 }, async () => {
  const tree = buildTriangleTree(template);
  const expected = batches.map(({ prediction, scanPoints }) => {
    const gradient = new Float32Array(prediction.length);
    let [total, distance] = [0, 0];
    for (const [sample, points] of scanPoints.entries()) {
      const vertices = prediction.subarray(sample * length, (sample + 1) * length);
      refitTriangleTree(tree, vertices);
      const { faceIndices, distances } = findClosestPoints(tree, points);
      const term = pointToSurfaceLoss(vertices, template.faces, points, faceIndices, 10);
      total += term.loss / scanPoints.length;
      distance += distances.reduce((sum, each) => sum + each, 0) / distances.length / scanPoints.length;
      gradient.set(
        term.gradient.map((value) => value / scanPoints.length),
        sample * length,
      );
    }
    return { total, distance, gradient };
  });
  for (let round = 0; round < 4; round++) {
    for (const [index, { prediction, ...targets }] of batches.entries()) {
      for (const loss of losses) {
        const { terms, gradient } = loss.evaluate(prediction, targets);
        const { total, distance, gradient: found } = expected[index]!;
        assert.equal(terms.total, total);
        assert.equal(terms.pointsToSurfaceDistance, distance);
        assert.deepEqual(gradient, found);
      }
      // Threads that have started come in.
      await sleep(20);
    }
  }
});

test('a scan point that is not finite is refused, and the next batch is none the worse', async () => {
  const [loss] = losses.slice(-1) as [TrainingLoss];
  const { prediction, registrations, scanPoints } = batches[0]!;
  const { terms } = loss.evaluate(prediction, { registrations, scanPoints });
  const broken = scanPoints.map((points) => points.slice());
  broken[1]![7] = NaN;
  assert.throws(
    () => loss.evaluate(prediction, { registrations, scanPoints: broken }),
    /NaN.*: the point is not finite/,
  );
  assert.deepEqual(loss.evaluate(prediction, { registrations, scanPoints }).terms, terms);
});
