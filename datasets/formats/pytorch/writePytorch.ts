import { basename, extname } from 'node:path';
import { writePickle, type PythonTensor, type PythonValue } from './pickleWriter.js';
import { writeStoredZip } from './storedZip.js';

/**
 * Writes what `torch.load` reads (also with `weights_only=True`): PyTorch's ZIP format with a pickle of protocol 2, a
 * storage a tensor. `readPytorchFile` gives back the same values, bit by bit.
 *
 * @param path of the file, which appears whole or not at all; one that is there is replaced.
 */
export async function writePytorchFile(path: string, value: PythonValue): Promise<void> {
  const tensors: PythonTensor[] = [];
  const pickle = writePickle(value, (tensor) => String(tensors.push(tensor) - 1));
  const stem = basename(path, extname(path)).replace(/[^\w.-]/g, '_') || 'archive';
  await writeStoredZip(path, members(stem, pickle, tensors));
}

function* members(
  folder: string,
  pickle: Uint8Array,
  tensors: readonly PythonTensor[],
): Generator<readonly [string, Uint8Array]> {
  yield [`${folder}/data.pkl`, pickle];
  yield [`${folder}/byteorder`, Buffer.from('little')];
  for (const [index, { values }] of tensors.entries()) {
    const stored = values instanceof Float32Array ? values : BigInt64Array.from(values, BigInt);
    yield [`${folder}/data/${index}`, new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)];
  }
  yield [`${folder}/version`, Buffer.from('3\n')];
}
