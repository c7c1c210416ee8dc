import { execFile } from 'node:child_process';
import type { Device } from '../../activities/devices.js';

/** Thrown where a worker has no device to compute on; the message says what there is, and what to do. */
export class NoDevice extends Error {
  override readonly name = 'NoDevice';
}

export interface AskedDevices {
  /** `all`, or numbers as nvidia-smi counts: `0,2`. undefined: those of CUDA_VISIBLE_DEVICES, or all. */
  readonly gpus: string | undefined;
  /** The processor will do where there is no GPU. */
  readonly cpu: boolean;
}

export const processor: Device = { index: null, name: 'CPU', uuid: null, driver: null, memoryBytes: null };

const query = ['index', 'name', 'uuid', 'driver_version', 'memory.total'];
const timeout = 20_000;

/**
 * The devices that a worker was asked to use.
 *
 * @throws NoDevice for a GPU that is not there, or none where the processor is not enough.
 */
export async function chooseDevices(
  { gpus, cpu }: AskedDevices,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly Device[]> {
  const { found, why } = await listGpus(environment);
  if (gpus !== undefined && gpus !== 'all') return gpus.split(',').map((asked) => gpuNamed(asked.trim(), found, why));
  const visible = environment['CUDA_VISIBLE_DEVICES'];
  const usable =
    gpus === undefined && visible !== undefined
      ? visible.split(',').flatMap((name) => found.filter(({ index, uuid }) => isNamed(name.trim(), index, uuid)))
      : found;
  if (usable.length > 0) return usable;
  if (cpu && gpus === undefined) return [processor];
  const hidden = found.length === 0 ? why : `CUDA_VISIBLE_DEVICES is ${JSON.stringify(visible)}`;
  throw new NoDevice(
    `There is no GPU that this worker could use: ${hidden}. See tempeh-flow doctor; --cpu lets it compute on the ` +
      'processor, which is enough for the miniature.',
  );
}

function isNamed(name: string, index: number | null, uuid: string | null): boolean {
  return name !== '' && (name === String(index) || uuid?.startsWith(name) === true);
}

function gpuNamed(asked: string, found: readonly Device[], why: string): Device {
  const device = found.find(({ index }) => String(index) === asked);
  if (device !== undefined) return device;
  const there = found.length === 0 ? why : `there are ${found.map(({ index }) => index).join(', ')}`;
  throw new NoDevice(`--gpus ${asked}: there is no such GPU (${there}). Expected all, or numbers: 0,2.`);
}

/** This machine's NVIDIA GPUs; of none, why there are none. */
async function listGpus(environment: NodeJS.ProcessEnv): Promise<{ found: readonly Device[]; why: string }> {
  const args = [`--query-gpu=${query.join(',')}`, '--format=csv,noheader,nounits'];
  return new Promise((resolve) => {
    execFile('nvidia-smi', args, { timeout, env: environment }, (error, stdout) => {
      const missing = (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
      if (missing) resolve({ found: [], why: 'there is no nvidia-smi, and so no NVIDIA driver' });
      else if (error !== null) resolve({ found: [], why: `nvidia-smi failed (${firstLine(stdout) || error.message})` });
      else resolve({ found: parseGpus(stdout), why: 'nvidia-smi lists none' });
    });
  });
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** @param table as nvidia-smi prints it: a GPU a line, values separated by commas. */
function parseGpus(table: string): Device[] {
  return table.split('\n').flatMap((line): Device[] => {
    const [index = '', name = '', uuid = '', driver = '', mebibytes = ''] = line.split(',').map((part) => part.trim());
    if (!/^\d+$/.test(index) || uuid === '') return [];
    const memory = Number.parseFloat(mebibytes);
    const memoryBytes = Number.isFinite(memory) ? memory * 2 ** 20 : null;
    return [{ index: Number(index), name, uuid, driver, memoryBytes }];
  });
}
