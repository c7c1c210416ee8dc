import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../../tensor/tensorflow.js';

/** Where an array's memory was given to TensorFlow, TensorFlow's threads let go of it: that tore Node's lists. */
test('no tensor lies in an array of JavaScript’s: what is written there later does not reach it', () => {
  for (let i = 0; i < 256; i++) {
    const values = new Float32Array(4).fill(1);
    const tensor = tf.tensor1d(values);
    // The first operation takes the values over.
    tf.dispose(tf.neg(tensor));
    values.fill(2);
    assert.deepEqual([...tensor.dataSync()], [1, 1, 1, 1], `array ${i}`);
    tensor.dispose();
  }
});
