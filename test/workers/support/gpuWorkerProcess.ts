/** A GPU worker as a process of its own, to be killed; says on which port its numbers are: `node gpuWorkerProcess.js ADDRESS NAMESPACE DIRECTORY`. */
import { fileURLToPath } from 'node:url';
import { runGpuWorker } from '../../../workers/gpuWorker.js';

const [address = '', namespace = '', directory = ''] = process.argv.slice(2);
let port: number | undefined;
await runGpuWorker({
  temporal: { address, namespace },
  directory,
  trainerModule: fileURLToPath(new URL('./steppingTrainer.js', import.meta.url)),
  metrics: { host: '127.0.0.1', port: 0 },
  onMetrics: (taken) => {
    ({ port } = taken);
    process.send?.({ port, isReady: false });
  },
  onReady: () => process.send?.({ port, isReady: true }),
});
process.disconnect?.();
