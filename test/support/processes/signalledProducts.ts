/**
 * Small matrix products, again and again, while another process sends signals that this one handles (see
 * tensor/signals.test.ts). Prints how many different results there were, and whether signals arrived.
 */
import { spawn } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { multiply, tf, tidy } from '../../../tensor/index.js';

const shapes = [
  [2, 512, 32],
  [16, 512, 32],
  [2, 16, 32],
] as const;
let handled = 0;
process.on('SIGUSR2', () => handled++);
const sending = `for (;;) process.kill(${process.pid}, 'SIGUSR2');`;
const sender = spawn(process.execPath, ['-e', sending], { stdio: 'ignore' });
const operands = shapes.map(([m, k, n]) => [tf.randomUniform([m, k]), tf.randomUniform([k, n])] as const);
const results = new Set<string>();
const startedAt = performance.now();
const seconds = (): number => (performance.now() - startedAt) / 1000;
// On a busy machine it takes some seconds until the other process sends.
while (seconds() < 1.5 || (handled <= 100 && seconds() < 60)) {
  for (let repeat = 0; repeat < 20; repeat++) {
    for (const [at, [a, b]] of operands.entries()) {
      results.add(`${at}: ${tidy(() => tf.sum(multiply(a, b)).dataSync()[0]!)}`);
    }
  }
  await setImmediate();
}
sender.kill('SIGKILL');
console.log(`${results.size} results, ${handled > 100 ? 'handled' : `${handled} signals`}`);
process.exit(0);
