import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FormatError } from '../formats/formatError.js';
import { colmapFiles, colmapForm, readColmap } from './colmap/readColmap.js';
import type { OpencvCamera } from './opencvCamera.js';
import type { CalibrationDefaults } from './options.js';
import { parseCalibrations } from './parseCalibrations.js';
import { longest } from './fields/parseTree.js';

/**
 * Reads the cameras of a calibration file, gzipped or not, or of a folder that holds a model of COLMAP.
 *
 * @throws FormatError, and the file system's error where there is no such file
 */
export async function readCalibrations(path: string, defaults: CalibrationDefaults): Promise<OpencvCamera[]> {
  const { size, isFolder } = await stat(path).then((found) => ({ size: found.size, isFolder: found.isDirectory() }));
  if (isFolder || colmapFiles.test(basename(path))) {
    const folder = isFolder ? path : dirname(path);
    const form = await colmapForm(folder);
    if (form) return readColmap(folder, form, defaults);
    const expected = 'a model of COLMAP: cameras and images, .bin or .txt';
    const nested = (await colmapForm(join(folder, '0'))) ? `none here, but one in ${join(folder, '0')}` : 'none';
    throw new FormatError({ file: folder, expected, found: nested });
  }
  if (size > longest) throw new FormatError({ file: path, expected: `at most ${longest} bytes`, found: `${size}` });
  const bytes = await readFile(path);
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isZipped ? unzipped(bytes, path) : bytes).toString('utf8');
  return parseCalibrations(
    text,
    path,
    basename(path)
      .replace(/\.gz$/i, '')
      .replace(/\.[^.]*$/, ''),
    defaults,
  );
}

/** A file of a COLMAP model stands for its folder. */
export function modelOf(path: string): string {
  return colmapFiles.test(basename(path)) ? dirname(path) : path;
}

function unzipped(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: longest });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError({ file, expected: `gzip of at most ${longest} bytes`, found });
  }
}
