import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorPartSums } from '../../evaluation/errors/errorParts.js';
import { Jitter } from '../../evaluation/errors/jitter.js';
import { centroid, translated } from '../../evaluation/heads/rigidAlignment.js';
import { TrainingHeads } from '../../evaluation/heads/trainingHeads.js';
import { counterRandom } from '../../geometry/random.js';
import { randomRotation, rotatePoints } from '../../geometry/rotation.js';

const random = counterRandom(7, 'baselines');
const points = 60;
const cloud = (size: number): Float32Array => Float32Array.from({ length: 3 * points }, () => size * random.gaussian());
const shape = cloud(60);
/** Three ways in which heads vary. */
const ways = [cloud(1), cloud(1), cloud(1)];
const headOf = (amounts: readonly number[]): Float32Array =>
  shape.map((value, i) => ways.reduce((sum, way, k) => sum + (amounts[k] ?? 0) * way[i]!, value));
const posed = (head: Float32Array): Float32Array =>
  translated(
    rotatePoints(
      randomRotation(() => random.gaussian()),
      head,
    ),
    [20 * random.gaussian(), -50, 3],
  );
const meanDistance = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i += 3) sum += Math.hypot(a[i]! - b[i]!, a[i + 1]! - b[i + 1]!, a[i + 2]! - b[i + 2]!);
  return sum / (a.length / 3);
};

describe('what is known without a picture', () => {
  const heads = Array.from({ length: 24 }, () =>
    posed(headOf([3 * random.gaussian(), 2 * random.gaussian(), random.gaussian()])),
  );
  const training = new TrainingHeads(heads);
  const unseen = posed(headOf([4, -3, 1]));

  test('the mean head stands at the true pose: its centre is the head’s, and no rotation brings it nearer', () => {
    const mean = training.meanAt(unseen);
    centroid(mean).forEach((value, axis) => assert.ok(Math.abs(value - centroid(unseen)[axis]!) < 1e-3));
    const error = meanDistance(mean, unseen);
    assert.ok(error > 1 && error < 15, `${error}`);
    assert.ok(meanDistance(training.meanAt(posed(shape)), unseen) > error);
  });

  test('a head that the components span is fitted but for rounding, with fewer it is farther', () => {
    const errors = [0, 1, 2, 20].map((count) => meanDistance(training.fitted(unseen, count), unseen));
    assert.ok(errors[3]! < 0.15, `all components: ${errors[3]} mm`);
    assert.ok(errors[0]! > errors[1]! && errors[1]! > errors[2]! && errors[2]! > errors[3]!, errors.join(' '));
  });
});

describe('what errors are made of', () => {
  const frames = Array.from({ length: 12 }, (_, i) => ({
    subject: i < 6 ? 'A' : 'B',
    truth: posed(headOf([i < 6 ? 3 : -3, i % 6, 0])),
  }));
  const measured = (predict: (truth: Float32Array, i: number) => Float32Array) => {
    const sums = new ErrorPartSums();
    frames.forEach(({ subject, truth }, i) => sums.add(subject, new Map([['it', predict(truth, i)]]), truth));
    return sums.of('it')!;
  };

  test('a moved head is all pose, and its expression is explained', () => {
    const { pose, identity, expression, expressionExplained } = measured((truth) => translated(truth, [3, 0, 4]));
    assert.ok(Math.abs(pose - 5) < 1e-3 && identity < 0.01 && expression < 0.01, `${pose} ${identity} ${expression}`);
    assert.ok(expressionExplained! > 0.999);
  });

  test('one face for all frames of everybody explains nothing of the expression', () => {
    const training = new TrainingHeads(frames.map(({ truth }) => truth));
    const { identity, expression, expressionExplained } = measured((truth) => training.meanAt(truth));
    assert.ok(identity > 1 && expression > 0.5);
    assert.ok(Math.abs(expressionExplained!) < 0.1, `${expressionExplained}`);
  });

  test('the right person without expression has no error of identity', () => {
    const { identity, expression, expressionExplained } = measured((truth, i) => {
      const neutral = new TrainingHeads(
        frames.filter(({ subject }) => subject === frames[i]!.subject).map((frame) => frame.truth),
      );
      return neutral.meanAt(truth);
    });
    assert.ok(identity < 0.1 * expression, `${identity} ${expression}`);
    assert.ok(Math.abs(expressionExplained!) < 0.05);
  });
});

test('jitter is the acceleration over frames that follow one another, and nothing where none do', () => {
  const jitter = new Jitter();
  const at = (frame: string, x: number) =>
    jitter.add({ subject: 'A', sequence: 's', frame }, new Map([['it', Float32Array.of(x, 0, 0)]]));
  at('0001', 0);
  at('0002', 1);
  at('0004', 9);
  assert.equal(jitter.of('it'), null);
  at('0005', 10);
  at('0006', 13);
  assert.equal(jitter.of('it'), 2);
});
