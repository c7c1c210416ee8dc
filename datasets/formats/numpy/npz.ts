import { FormatError, listed } from '../formatError.js';
import { formatNpy, parseNpy, type NpyArray } from './npy.js';
import { openZip, writeZip } from '../archives/zip.js';

/** A NumPy archive whose arrays are inflated and read when they are asked for. */
export interface Npz {
  readonly names: readonly string[];
  /** @throws FormatError naming file and member; also where there is no such array */
  array(name: string): NpyArray;
  /** The file that the array is in. @throws as `array` */
  member(name: string): Buffer;
}

const extension = '.npy';

/**
 * Opens a NumPy archive. Members that are no arrays are not looked at.
 * @param bytes the whole file
 * @param file its path, for error messages
 * @throws FormatError
 */
export function openNpz(bytes: Uint8Array, file: string): Npz {
  const zip = openZip(bytes, file);
  const names = zip.names.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length));
  const member = (name: string): Buffer => {
    if (names.includes(name)) return zip.read(name + extension);
    throw new FormatError({ file, expected: `an array ${name}`, found: listed(names, 20) });
  };
  return { names, member, array: (name) => parseNpy(member(name), `${file}:${name}${extension}`) };
}

/** Reads all arrays of a NumPy archive, by name. @throws FormatError naming file and member */
export function parseNpz(bytes: Uint8Array, file: string): Map<string, NpyArray> {
  const archive = openNpz(bytes, file);
  return new Map(archive.names.map((name) => [name, archive.array(name)]));
}

/** Writes arrays, by name, into a NumPy archive; deflated unless `store` is set. */
export function formatNpz(arrays: ReadonlyMap<string, NpyArray>, options: { store?: boolean } = {}): Buffer {
  return writeZip(
    Array.from(arrays, ([name, array]) => ({ name: `${name}.npy`, bytes: formatNpy(array) })),
    options,
  );
}
