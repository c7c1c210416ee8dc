import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FormatError } from '../formats/formatError.js';
import { colmapFiles, colmapForm, readColmap } from './colmap/readColmap.js';
import type { OpencvCamera } from './opencvCamera.js';
import type { CalibrationDefaults } from './options.js';
import { camerasOf, parseCalibrationFile, type ParsedCalibrations } from './parseCalibrations.js';
import { longest } from './fields/parseTree.js';

/** A camera, and the file (or the files) that it is of. */
export interface CameraOfFile {
  readonly camera: OpencvCamera;
  readonly file: string;
}

/**
 * Reads the cameras of calibration files, gzipped or not, and of folders that hold a model of COLMAP. Files in one folder that
 * hold parts of cameras (intrinsics in one, extrinsics in another) complete one another.
 *
 * @throws FormatError, and the file system's error where there is no such file
 */
export async function readRig(paths: readonly string[], defaults: CalibrationDefaults): Promise<CameraOfFile[]> {
  const cameras: CameraOfFile[] = [];
  const parts = new Map<string, { readonly file: string; readonly values: Readonly<Record<string, unknown>> }[]>();
  // The files of a COLMAP model are one.
  for (const path of new Set(paths.map(modelOf))) {
    const found = await readOne(path, defaults);
    if (Array.isArray(found)) cameras.push(...found.map((camera) => ({ camera, file: path })));
    else if (found.kind === 'parts') {
      const folder = dirname(path);
      parts.set(folder, [...(parts.get(folder) ?? []), { file: path, values: found.values }]);
    } else {
      cameras.push(...camerasOf(found, path, stemOf(path), defaults).map((camera) => ({ camera, file: path })));
    }
  }
  for (const files of parts.values()) {
    const file = files.map((part) => part.file).join(' and ');
    const found = camerasOf({ kind: 'parts', values: merged(files) }, file, 'camera', defaults);
    cameras.push(...found.map((camera) => ({ camera, file })));
  }
  return cameras;
}

/** The cameras of one file or folder. @throws FormatError, and the file system's error where there is no such file */
export async function readCalibrations(path: string, defaults: CalibrationDefaults): Promise<OpencvCamera[]> {
  return (await readRig([path], defaults)).map(({ camera }) => camera);
}

async function readOne(path: string, defaults: CalibrationDefaults): Promise<OpencvCamera[] | ParsedCalibrations> {
  const { size, isFolder } = await stat(path).then((found) => ({ size: found.size, isFolder: found.isDirectory() }));
  if (isFolder) {
    const form = await colmapForm(path);
    if (form) return readColmap(path, form, defaults);
    const expected = 'a model of COLMAP: cameras and images, .bin or .txt';
    const nested = (await colmapForm(join(path, '0'))) ? `none here, but one in ${join(path, '0')}` : 'none';
    throw new FormatError({ file: path, expected, found: nested });
  }
  if (size > longest) throw new FormatError({ file: path, expected: `at most ${longest} bytes`, found: `${size}` });
  const bytes = await readFile(path);
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseCalibrationFile((isZipped ? unzipped(bytes, path) : bytes).toString('utf8'), path);
}

/** What files say together. @throws FormatError if they say a thing differently */
function merged(
  files: readonly { readonly file: string; readonly values: Readonly<Record<string, unknown>> }[],
): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const { file, values } of files) {
    for (const [name, value] of Object.entries(values)) {
      if (Object.hasOwn(all, name) && JSON.stringify(all[name]) !== JSON.stringify(value)) {
        const expected = `what ${files[0]!.file} says, for the two are parts of one rig; convert other rigs by themselves`;
        throw new FormatError({ file, where: name, expected, found: 'something else' });
      }
      all[name] = value;
    }
  }
  return all;
}

/** A file of a COLMAP model stands for its folder. */
function modelOf(path: string): string {
  return colmapFiles.test(basename(path)) ? dirname(path) : path;
}

function stemOf(path: string): string {
  return basename(path)
    .replace(/\.gz$/i, '')
    .replace(/\.[^.]*$/, '');
}

function unzipped(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: longest });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError({ file, expected: `gzip of at most ${longest} bytes`, found });
  }
}
