/** A GPU worker as a process of its own, to be killed: `node gpuWorkerProcess.js ADDRESS NAMESPACE DIRECTORY`. */
import { fileURLToPath } from 'node:url';
import { runGpuWorker } from '../../../workers/gpuWorker.js';

const [address = '', namespace = '', directory = ''] = process.argv.slice(2);
await runGpuWorker({
  temporal: { address, namespace },
  directory,
  trainerModule: fileURLToPath(new URL('./steppingTrainer.js', import.meta.url)),
  onReady: () => process.send?.('ready'),
});
process.disconnect?.();
