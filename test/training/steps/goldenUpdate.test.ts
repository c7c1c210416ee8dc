import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tf } from '../../../tensor/index.js';
import { AdamW, parameterGroup } from '../../../training/optimisation/optimizer.js';
import { goldenPath } from '../../support/golden/golden.js';

interface RecordedParameter {
  readonly grad: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

for (const stage of ['coarse', 'refinement'] as const) {
  test(`${stage}: AdamW moves every parameter as the published system's first step did`, () => {
    const text = readFileSync(goldenPath(`${stage}/train/parameters.json`), 'utf8');
    const { parameters: recorded } = JSON.parse(text) as { parameters: Record<string, RecordedParameter> };
    // Eight entries of each tensor are recorded: AdamW treats each number by itself.
    const of = (key: keyof RecordedParameter) =>
      Object.entries(recorded).map(([name, entries]) => [name, tf.tensor1d([...entries[key]])] as const);
    const parameters = Object.fromEntries(of('before').map(([name, values]) => [name, tf.variable(values)]));
    const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
    tf.tidy(() => optimizer.update(Object.fromEntries(of('grad')), { base: 1e-3, localiser: 1e-4 }));
    for (const [name, { grad, after }] of Object.entries(recorded)) {
      const rate = parameterGroup(name) === 'localiser' ? 1e-4 : 1e-3;
      parameters[name]!.dataSync().forEach((value, i) => {
        // The file has seven digits; a gradient near ε moves its parameter by a share of the rate that they blur.
        const blurred = Math.abs(grad[i]!) < 1e-5 ? 1e-2 : 1e-4;
        const allowed = 1e-6 * Math.abs(after[i]!) + blurred * rate;
        assert.ok(Math.abs(value - after[i]!) <= allowed, `${name}[${i}] is ${value}; published ${after[i]}`);
      });
    }
    optimizer.dispose();
    tf.dispose(parameters);
  });
}
