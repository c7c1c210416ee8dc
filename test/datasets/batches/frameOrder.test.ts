import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameOrder } from '../../../datasets/batches/frameOrder.js';

test('each epoch shows each frame once, whatever the batch size, and batches run on over the boundary', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 8 }), (seed, frames, size) => {
      const order = new FrameOrder(seed, frames);
      const steps = Math.ceil((3 * frames) / size);
      const shown = Array.from({ length: steps }, (_, step) => order.batch(step, size)).flat();
      for (let epoch = 0; epoch < 3; epoch++) {
        const ofEpoch = shown.slice(epoch * frames, (epoch + 1) * frames);
        assert.deepEqual(
          [...ofEpoch].sort((a, b) => a - b),
          [...Array(frames).keys()],
        );
      }
    }),
  );
});

test('a step shows the same frames wherever the run was started, and in whichever order steps are asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { minLength: 1 }), (steps) => {
      const one = new FrameOrder(3, 17);
      for (const step of steps) assert.deepEqual(one.batch(step, 4), new FrameOrder(3, 17).batch(step, 4));
    }),
  );
});

test('epochs differ from one another, and seeds too', () => {
  const epoch = (seed: number, number: number): number[] => new FrameOrder(seed, 100).batch(number, 100);
  assert.notDeepEqual(epoch(1, 0), epoch(1, 1));
  assert.notDeepEqual(epoch(1, 0), epoch(2, 0));
  assert.throws(() => new FrameOrder(1, 0), /no frames/);
});
