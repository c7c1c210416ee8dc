import { existsSync } from 'node:fs';
import { installedBinding } from '../setup/paths.mjs';
import { pins } from '../setup/pins.mjs';
import { bindingIsInstalled } from '../setup/tensorflow/tensorflowBinding.mjs';
import { hasNvidiaDriver, readInstalledMarker } from '../setup/tensorflow/tensorflowRuntime.mjs';
import { type Check, check } from './check.js';
import { probe } from './probe.js';

/** Asked in a process of its own: a library that does not fit ends that process, not this one. */
const question = `
const binding = require(process.argv[1]);
console.log(JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice() }));
`;

/** TensorFlow, its binding, and the graphics processor. */
export async function checkTensorflow(): Promise<Check[]> {
  const variant = readInstalledMarker()?.variant ?? 'cpu';
  const installed = existsSync(installedBinding) && bindingIsInstalled(variant);
  const loaded = await probe(process.execPath, ['-e', question, installedBinding], { TF_CPP_MIN_LOG_LEVEL: '3' }, 60);
  const answer = loaded.ran ? (JSON.parse(loaded.text) as { version: string; gpu: boolean }) : undefined;
  const expected = `${pins.tensorflow.version}, loaded through its Node binding`;
  return [
    check('TensorFlow', installed && answer?.version === pins.tensorflow.version, 'missing', {
      found: answer ? `${answer.version} for ${variant.toUpperCase()}` : installed ? loaded.text : 'not installed',
      expected,
      mend: 'Run `npm run setup`; if it is installed and does not load, remove the cache directory first.',
    }),
    await checkGpu(variant, answer?.gpu ?? false),
  ];
}

async function checkGpu(variant: 'cpu' | 'gpu', used: boolean): Promise<Check> {
  const expected = 'an NVIDIA GPU for training at paper scale; none for the miniature';
  if (!hasNvidiaDriver()) {
    return check('GPU', true, 'warning', { found: 'no NVIDIA driver: computes on the CPU', expected, mend: '' });
  }
  // bfloat16 and TensorFloat-32 need a compute capability of 8.0.
  const query = ['--query-gpu=name,memory.total,driver_version,compute_cap', '--format=csv,noheader'];
  const { ran, text } = await probe('nvidia-smi', query);
  const gpus = ran ? text.split('\n').join('; ') : `driver there, but nvidia-smi: ${text}`;
  if (variant === 'cpu') {
    const mend = 'Run `npm run setup -- --gpu` to have TensorFlow use it.';
    return check('GPU', false, 'warning', { found: `${gpus}; TensorFlow is installed for the CPU`, expected, mend });
  }
  return check('GPU', used, 'warning', {
    found: `${gpus}${used ? '' : '; TensorFlow does not see it'}`,
    expected,
    mend: 'Check that the driver is 525 or newer and that this user (or container) may use the GPU.',
  });
}
