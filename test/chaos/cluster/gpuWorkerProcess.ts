/** A GPU worker whose trainers write a journal: `node gpuWorkerProcess.js DIRECTORY`, the rest from the environment as always. */
import { fileURLToPath } from 'node:url';
import { runGpuWorker } from '../../../workers/gpuWorker.js';
import { temporalSettings } from '../../../client/connection/connectionSettings.js';

const [directory = ''] = process.argv.slice(2);
await runGpuWorker({
  temporal: temporalSettings(),
  readTemporal: async () => temporalSettings(),
  directory,
  trainerModule: fileURLToPath(new URL('./trainer.js', import.meta.url)),
});
