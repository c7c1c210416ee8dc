import { SetupError } from './errors.mjs';

/** @typedef {'packages' | 'runtime' | 'binding' | 'temporal' | 'versitygw' | 'build'} Part */

/** @type {Readonly<Record<'all' | 'client' | 'worker' | 'tensorflow', Part[]>>} */
const parts = {
  all: ['packages', 'runtime', 'binding', 'temporal', 'versitygw', 'build'],
  // Starting, watching and steering runs elsewhere; and the data worker, which computes nothing.
  client: ['packages', 'build'],
  // A worker of a cluster: no servers.
  worker: ['packages', 'runtime', 'binding', 'build'],
  // What of a worker stays the same when our code changes: a layer of an image.
  tensorflow: ['packages', 'runtime', 'binding'],
};

const usage = 'Usage: npm run setup [-- [--client | --worker | --tensorflow] [--gpu | --cpu]]';

/**
 * What a set-up is to bring.
 *
 * @param {readonly string[]} options of the command line
 * @returns {Part[]}
 * @throws {SetupError}
 */
export function wantedParts(options) {
  const known = ['--gpu', '--cpu', '--client', '--worker', '--tensorflow'];
  const unknown = options.find((option) => !known.includes(option));
  if (unknown) throw new SetupError(`Unknown option ${unknown}.`, usage);
  const client = options.includes('--client');
  if (client && options.length > 1) throw new SetupError('--client goes by itself: it brings no TensorFlow.', usage);
  if (client) return parts.client;
  if (options.includes('--tensorflow')) return parts.tensorflow;
  return options.includes('--worker') ? parts.worker : parts.all;
}
