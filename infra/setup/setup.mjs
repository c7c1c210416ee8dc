#!/usr/bin/env node
/**
 * Brings a fresh clone to where the program runs: npm packages, TensorFlow with its binding, the Temporal and S3
 * servers, the compiled sources. `npm start` and `npm test` call it each time; it does what is missing, side by side.
 *
 *   node infra/setup/setup.mjs [--client | --worker | --tensorflow] [--gpu | --cpu]
 */
import { SetupError, StoppedError } from './errors.mjs';

try {
  // Where the cache lies may be unknown: that is reported as other errors are.
  const { setup } = await import('./steps.mjs');
  await setup(process.argv.slice(2));
} catch (error) {
  if (error instanceof SetupError) {
    if (error.output) console.error(`\n${error.output.split('\n').slice(-25).join('\n')}`);
    console.error(`\nSet-up failed: ${error.message}\n  ${error.mend}`);
  } else if (error instanceof StoppedError) {
    console.error('\nSet-up stopped; the next one goes on from here.');
  } else {
    console.error(error);
  }
  process.exitCode = error instanceof StoppedError ? 130 : 1;
}
