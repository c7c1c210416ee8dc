import { formatNpy, parseNpy, type NpyArray } from './npy.js';
import { readZip, writeZip } from './zip.js';

/**
 * Reads a NumPy archive: its arrays by name.
 * @param bytes - the whole file
 * @param file - its path, for error messages
 * @throws FormatError naming file and member
 */
export function parseNpz(bytes: Uint8Array, file: string): Map<string, NpyArray> {
  return new Map(
    readZip(bytes, file)
      .filter((member) => member.name.endsWith('.npy'))
      .map((member) => [member.name.slice(0, -'.npy'.length), parseNpy(member.bytes, `${file}:${member.name}`)]),
  );
}

/** Writes arrays, by name, into a NumPy archive; deflated unless `store` is set. */
export function formatNpz(arrays: ReadonlyMap<string, NpyArray>, options: { store?: boolean } = {}): Buffer {
  return writeZip(
    Array.from(arrays, ([name, array]) => ({ name: `${name}.npy`, bytes: formatNpy(array) })),
    options,
  );
}
