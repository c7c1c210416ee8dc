/**
 * Measures the coarse head (softmax over voxels and expectation) of two samples at paper scale, by our kernel and by
 * TensorFlow's operations by turns in one process, and prints a `HeadResult` as one JSON line.
 */
import { prepareTensorFlow } from '../../workers/prepareTensorFlow.js';
import type { Rank } from '../../tensor/index.js';
import type { HeadFigures, HeadResult } from './figures.js';

prepareTensorFlow({ deterministic: false });
const { countedOperations, forwardPass, softmaxExpectation, tf, vectors, withoutOwnKernels } =
  await import('../../tensor/index.js');
const { machineRate } = await import('../machineRate.js');

const { rounds } = JSON.parse(process.argv[2] ?? '') as { rounds: number };
const [samples, voxels, channels, vertices] = [2, 32 ** 3, 128, 5023];
const keys = tf.relu(tf.randomNormal<Rank.R3>([samples, voxels, channels], 0, 1, 'float32', 1));
const queries = tf.randomNormal<Rank.R2>([channels, vertices], 0, 0.1, 'float32', 2);
const values = tf.randomNormal<Rank.R2>([voxels, 3], 0, 1, 'float32', 3);
const slopes = tf.randomNormal([samples, vertices, 3], 0, 1, 'float32', 4);
const since = (moment: number): number => (performance.now() - moment) / 1000;

function measure(): Omit<HeadFigures, 'way'> {
  const begun = performance.now();
  const pass = forwardPass(() => softmaxExpectation(keys, queries, values), { keys, queries });
  pass.value.dataSync();
  const forward = since(begun);
  const turned = performance.now();
  const gradients = pass.backward([[pass.value, slopes]]);
  gradients.queries!.dataSync();
  const backward = since(turned);
  tf.dispose([pass.value, ...Object.values(gradients)]);
  return { forward, backward };
}

const ways: Readonly<Record<string, () => Omit<HeadFigures, 'way'>>> = {
  ...(vectors !== 'none' && { [vectors]: measure }),
  operations: () => withoutOwnKernels(measure),
};
const found = new Map<string, Omit<HeadFigures, 'way'>>();
let rate = 0;
let operations = 0;
for (let round = 0; round < rounds; round++) {
  for (const [way, run] of Object.entries(ways)) {
    rate = Math.max(rate, machineRate());
    const before = countedOperations();
    const { forward, backward } = run();
    operations = countedOperations() - before;
    const best = found.get(way) ?? { forward: Infinity, backward: Infinity };
    found.set(way, { forward: Math.min(best.forward, forward), backward: Math.min(best.backward, backward) });
  }
}
const result: HeadResult = {
  figures: [...found].map(([way, figures]) => ({ way, ...figures })),
  gigaOperations: operations / 1e9,
  machineRate: rate,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
