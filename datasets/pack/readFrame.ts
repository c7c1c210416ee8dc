import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FormatError } from '../formats/formatError.js';
import { imageSize } from '../formats/images/image.js';
import { parsePly } from '../formats/meshes/ply.js';
import { frameTar, tarLength } from '../formats/archives/tar.js';
import { archiveNames } from '../reader/frameArchive.js';
import { readScan } from '../reader/readScan.js';
import { checkPng } from './checkPng.js';

/** Which files a frame is read from. */
export interface FrameTask {
  readonly views: readonly {
    readonly name: string;
    readonly image: string;
    /** The calibration file, whole. */
    readonly calibration: Uint8Array;
  }[];
  readonly imageExtension: string;
  readonly scan: string | null;
  readonly registration: string | null;
  /** L, of the template. */
  readonly vertexCount: number;
  /** Where the frame is read to, if it is large enough. */
  readonly memory: SharedArrayBuffer;
}

/** An object of the frame, in the memory. */
export interface ObjectPlace {
  readonly start: number;
  readonly size: number;
  readonly sha256: string;
}

export type FrameResult =
  | {
      readonly memory: SharedArrayBuffer;
      readonly images: ObjectPlace;
      readonly scan: ObjectPlace | null;
      readonly registration: ObjectPlace | null;
    }
  /** Why the frame cannot be used. */
  | { readonly memory: SharedArrayBuffer; readonly reason: string };

/** So that the next frame, a little larger, fits as well. */
const headroom = 1.1;

/**
 * Reads a frame's files, each into its place in what is stored (`images/S/Q/N.tar`, the scan, the registration), and
 * checks them. Blocks while the disk works: for a thread that has nothing else to do.
 *
 * @throws errors of the file system
 */
export async function readFrame(task: FrameTask): Promise<FrameResult> {
  const { views, imageExtension, scan, registration, vertexCount } = task;
  const files: OpenFile[] = [];
  let { memory } = task;
  try {
    for (const path of [...views.map(({ image }) => image), scan, registration]) {
      if (path !== null) files.push(openFile(path));
    }
    const images = files.slice(0, views.length);
    const others = files.slice(views.length);
    const sizes = [...images.map(({ size }) => size), ...views.map(({ calibration }) => calibration.length)];
    const length = tarLength(sizes);
    const total = others.reduce((sum, { size }) => sum + size, length);
    if (memory.byteLength < total) memory = new SharedArrayBuffer(Math.ceil(headroom * total));
    const all = Buffer.from(memory);

    const archive = all.subarray(0, length);
    const viewNames = views.map(({ name }) => name);
    const members = archiveNames(viewNames, imageExtension).map((name, i) => ({ name, size: sizes[i]! }));
    const starts = frameTar(members, archive);
    for (const [i, file] of images.entries()) {
      const bytes = readInto(archive, starts[i]!, file);
      if (imageExtension === 'png') checkPng(bytes, file.path);
      else await imageSize(bytes, file.path);
    }
    for (const [i, { calibration }] of views.entries()) archive.set(calibration, starts[views.length + i]);

    const places: ObjectPlace[] = [placed(all, 0, length)];
    let end = length;
    for (const file of others) {
      const bytes = readInto(all, end, file);
      if (file.path === scan) readScan({ bytes, file: file.path });
      else checkRegistration(bytes, file.path, vertexCount);
      places.push(placed(all, end, file.size));
      end += file.size;
    }
    return {
      memory,
      images: places[0]!,
      scan: scan === null ? null : places[1]!,
      registration: registration === null ? null : places.at(-1)!,
    };
  } catch (error) {
    if (error instanceof FormatError) return { memory, reason: error.message };
    throw error;
  } finally {
    for (const { file } of files) closeSync(file);
  }
}

interface OpenFile {
  readonly path: string;
  readonly file: number;
  readonly size: number;
}

function openFile(path: string): OpenFile {
  const file = openSync(path, 'r');
  return { path, file, size: fstatSync(file).size };
}

/** @returns the file's bytes, in `memory` from `start` on. */
function readInto(memory: Buffer, start: number, { path, file, size }: OpenFile): Buffer {
  for (let done = 0; done < size;) {
    const count = readSync(file, memory, start + done, size - done, done);
    if (count === 0) throw new Error(`${path} became shorter while it was read.`);
    done += count;
  }
  return memory.subarray(start, start + size);
}

function placed(memory: Buffer, start: number, size: number): ObjectPlace {
  const bytes = memory.subarray(start, start + size);
  return { start, size, sha256: hash('sha256', bytes) };
}

function checkRegistration(bytes: Uint8Array, file: string, vertexCount: number): void {
  const { vertices } = parsePly(bytes, file);
  if (vertices.length !== 3 * vertexCount) {
    const expected = `${vertexCount} vertices, as the template has`;
    throw new FormatError({ file, expected, found: `${vertices.length / 3}` });
  }
  const bad = vertices.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const where = `vertex ${Math.floor(bad / 3)}`;
  throw new FormatError({ file, where, expected: 'finite positions', found: `${vertices[bad]}` });
}
