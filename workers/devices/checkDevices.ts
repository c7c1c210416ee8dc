import { fork } from 'node:child_process';
import { deviceEnvironment, deviceLabel, type Device } from '../../activities/devices.js';
import { environmentFor } from '../../configs/processEnvironment.js';
import { NoDevice } from './gpus.js';

/** What the process says that computes on a device. */
export interface DeviceAnswer {
  readonly usesGpu: boolean;
  /** null where the numbers came out as they should. */
  readonly problem: string | null;
}

/** Loading TensorFlow from a cold disk, and the first kernel on a GPU, take up to a minute. */
const checkSeconds = 180;

/**
 * Computes something on each device, in a process that sees that device only: a driver that does not fit, or a GPU that
 * has fallen off its bus, is found before a task is taken and failed.
 *
 * @param deviceModule of that process.
 * @returns the devices that can be used.
 * @throws NoDevice where none can.
 */
export async function checkDevices(
  devices: readonly Device[],
  deviceModule: string,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<readonly Device[]> {
  const problems = await Promise.all(devices.map((device) => problemOf(device, deviceModule, signal)));
  const usable = devices.filter((_, i) => problems[i] === null);
  const said = devices.flatMap((device, i) => (problems[i] ? [`${deviceLabel(device)}: ${problems[i]}`] : []));
  if (usable.length === 0)
    throw new NoDevice(`This worker has no device to compute on. ${said.join('; ')}. See tempeh-flow doctor.`);
  for (const problem of said) warn(`${problem}. It is left out.`);
  return usable;
}

/** As `checkDevices`, of one: null, or what is wrong with it, by its name. */
export async function deviceProblem(device: Device, deviceModule: string, signal: AbortSignal): Promise<string | null> {
  const problem = await problemOf(device, deviceModule, signal);
  return problem === null ? null : `${deviceLabel(device)}: ${problem}`;
}

async function problemOf(device: Device, deviceModule: string, signal: AbortSignal): Promise<string | null> {
  const child = fork(deviceModule, [], {
    env: { ...environmentFor('gpu-process'), ...deviceEnvironment(device, 1) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-2000)));
  const timer = setTimeout(() => child.kill('SIGKILL'), checkSeconds * 1000);
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = await new Promise<DeviceAnswer | string>((resolve) => {
      child.once('message', (message) => resolve(message as DeviceAnswer));
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, by) => {
        const last = errors.trim().split('\n').at(-1) ?? '';
        const how = by === 'SIGKILL' ? `no answer within ${checkSeconds} s` : `its process ended with ${code ?? by}`;
        resolve(`${how}${last === '' ? '' : ` (${last})`}`);
      });
    });
    if (typeof answer === 'string') return answer;
    if (answer.problem !== null) return answer.problem;
    return device.index !== null && !answer.usesGpu
      ? 'TensorFlow does not see it, and would compute on the processor'
      : null;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    child.kill('SIGKILL');
  }
}
