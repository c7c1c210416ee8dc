import {
  runConfigurationSchema,
  type RunConfiguration,
  type RunConfigurationInput,
} from '../../../configs/schema/run.js';

/** A configuration of a run that is about workflows only: nothing of it is ever opened. */
export function testConfiguration(change: Partial<RunConfigurationInput> = {}): RunConfiguration {
  const split = { list: 'l.json', images: 'i', calibrations: 'c', scans: 's', registrations: 'r' };
  return runConfigurationSchema.parse({
    storage: { kind: 'directory', path: '/dev/null/store' },
    dataset: {
      name: 'heads',
      source: { kind: 'bundles', host: 'http://127.0.0.1:1/download.php', bundles: ['first', 'second'] },
      layout: { train: split, validation: split, test: split, template: 't.obj', vertexMasks: 'm.npz' },
    },
    supervision: { progressTimeoutSeconds: 5, lostWorkerSeconds: 1 },
    ...change,
  });
}
