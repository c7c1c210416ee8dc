import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../datasets/formats/images/image.js';
import { formatNpy } from '../../datasets/formats/numpy/npy.js';
import { formatNpz } from '../../datasets/formats/numpy/npz.js';
import { formatPly } from '../../datasets/formats/meshes/ply.js';
import { framePath } from '../../datasets/layout.js';
import { regionNames } from '../../datasets/vertexRegions.js';
import type { FrameId } from '../../datasets/types.js';
import { openFolders } from '../../evaluation/measure/folders.js';
import { measure } from '../../evaluation/measure/measure.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { measuredFrame } from '../../report/frames/measuredFrames.js';
import { writeMeasurement } from '../../report/writeMeasurement.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** A square of 200 mm in the plane z = 0; its left half is in the region `lips`, its right half in `neck`. */
const square = Float32Array.of(-0.1, -0.1, 0, 0.1, -0.1, 0, 0.1, 0.1, 0, -0.1, 0.1, 0);
const faces = Uint32Array.of(0, 1, 2, 0, 2, 3);
const ids = ['01', '02', '03'].map((frame): FrameId => ({ subject: 'A', sequence: 'talk', frame }));

async function put(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** Points 1, 2, 3, 4 mm off the square near its left corners, 10 mm near a right one. `off` moves the prediction away. */
async function makeFolders(folder: string): Promise<void> {
  const points = [-90, -90, 1, -90, -80, -2, -90, 80, 3, -90, 90, 4, 90, -90, 10];
  for (const [at, id] of ids.entries()) {
    const raised = square.map((metres, i) => (i % 3 === 2 ? metres - at / 1000 : metres));
    await put(join(folder, 'exact'), framePath(id, 'ply'), formatPly({ vertices: square, faces }));
    await put(join(folder, 'moved'), framePath(id, 'ply'), formatPly({ vertices: raised, faces }));
    if (id.frame === '03') continue;
    await put(
      join(folder, 'scans'),
      framePath(id, 'npy'),
      formatNpy({ shape: [5, 3], data: Float32Array.from(points) }),
    );
  }
  const masks = regionNames.map((name): [string, { shape: number[]; data: Uint32Array }] => {
    const vertices = name === 'lips' ? [0, 3] : name === 'neck' ? [1, 2] : [2];
    return [name, { shape: [vertices.length], data: Uint32Array.from(vertices) }];
  });
  await writeFile(join(folder, 'masks.npz'), formatNpz(new Map(masks)));
}

test('errors of known distances, by method, region, sequence and frame; a frame without a scan is left out', async () => {
  const folder = temporaryFolder();
  await makeFolders(folder);
  const set = await openFolders({
    predictions: new Map([
      ['exact', join(folder, 'exact')],
      ['moved', join(folder, 'moved')],
    ]),
    scans: join(folder, 'scans'),
    list: null,
    masks: join(folder, 'masks.npz'),
    registrations: join(folder, 'exact'),
  });
  const measured = await measure(set);
  assert.equal(measured.frames, 2);
  assert.deepEqual(
    measured.leftOut.map(({ id }) => id),
    [ids[2]],
  );
  assert.match(measured.leftOut[0]!.reason, /its scan is missing: .*talk\.03\.npy/);
  const near = (found: number | undefined, expected: number, relative = 1e-3): void =>
    assert.ok(Math.abs(found! - expected) <= relative * expected + 1e-9, `${found}, expected ${expected}`);
  // Distances 1, 2, 3, 4, 10 twice; the second frame's prediction lies 1 mm lower: 2, 1, 4, 5, 11.
  const [exact, moved] = measured.methods;
  near(exact?.pointToSurface.mean, 4, 1e-6);
  near(exact?.pointToSurface.median, 3);
  near(exact?.pointToSurface.standardDeviation, Math.sqrt(10), 1e-6);
  near(exact?.pointToSurface.largest, 10);
  near(exact?.cumulative[99], 10);
  near(moved?.pointToSurface.mean, (20 + 23) / 10, 1e-5);
  assert.equal(exact?.vertices?.largest, 0);
  near(moved?.vertices?.mean, 0.5, 1e-4);
  const ofRegion = (name: string): number | undefined =>
    measured.regions.find(({ region, method }) => region === name && method === 'exact')?.pointToSurface.mean;
  near(ofRegion('lips'), 2.5, 1e-6);
  near(ofRegion('neck'), 10, 1e-6);
  assert.equal(ofRegion('scalp'), undefined, 'no point, no figure');
  const frame = measured.perFrame.find(({ frame, method }) => frame === '02' && method === 'moved');
  near(frame?.pointToSurface.median, 4, 1e-4);
  near(frame?.pointToSurface.percentiles['75'], 5, 1e-4);
  assert.deepEqual(
    measured.sequences.map(({ method, frames }) => [method, frames]),
    [
      ['exact', 2],
      ['moved', 2],
    ],
  );
  const out = join(folder, 'out');
  await writeMeasurement(out, set, measured);
  const regions = (await readFile(join(out, 'regions.csv'), 'utf8')).split('\n');
  assert.match(regions[0]!, /^region,method,points,median,mean/);
  assert.match(regions.join('\n'), /^neck,exact,2,10,10,0,/m);
  assert.match(await readFile(join(out, 'cumulative.svg'), 'utf8'), /^<svg xmlns.*<polyline/s);
  assert.ok((await stat(join(out, 'pictures', 'A_talk_02_moved.png'))).size > 100);
  assert.match(await readFile(join(out, 'report.html'), 'utf8'), /2 frames; .*1 frame not in these figures/s);
});

test('pictures show all methods whole, also one that is far from the others', async () => {
  const at = (x: number): Mesh => ({
    vertices: square.map((metres, i) => metres * 1000 + (i % 3 === 0 ? x : 0)),
    faces,
  });
  const heads = new Map([
    ['near', at(0)],
    ['far', at(900)],
  ]);
  const scanPoints = Float32Array.of(0, 0, 1, 10, 0, 1);
  const set = {
    description: '',
    methods: [...heads.keys()],
    frames: [],
    regions: null,
    load: () => Promise.reject(new Error('not asked for')),
  };
  const { pictures } = await measuredFrame({ id: ids[0]!, heads, scanPoints, registration: null }, set, '', 5);
  for (const { caption, png } of pictures) {
    const { width, height, data } = await decodeImage(png, caption);
    const isBackground = (x: number, y: number): boolean =>
      [0, 1, 2].every((channel) => data[3 * (y * width + x) + channel] === data[channel]);
    const columns = Array.from({ length: width }, (_, x) => x);
    const covered = columns.filter((x) => Array.from({ length: height }, (_, y) => y).some((y) => !isBackground(x, y)));
    assert.ok(covered.length > 10, `${caption} is in its picture`);
    assert.ok(covered[0]! > 0 && covered.at(-1)! < width - 1, `${caption} is cut off at columns ${covered[0]}`);
  }
});

test('the command prints the table; without a frame that can be measured it fails, and says why', async () => {
  const folder = temporaryFolder();
  await makeFolders(folder);
  const args = ['evaluate', '--predictions', join(folder, 'moved'), '--out', join(folder, 'out')];
  const { code, stdout, stderr } = await tempehFlow([...args, '--scans', join(folder, 'scans')]);
  assert.equal(code, 1, `a frame is missing in the figures: ${stderr}`);
  assert.match(stdout, /2 frames, 1 left out/);
  const allowed = await tempehFlow([...args, '--scans', join(folder, 'scans'), '--allow-failures', '--json']);
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.equal((JSON.parse(allowed.stdout) as { leftOut: unknown[] }).leftOut.length, 1);
  assert.match(stdout, /moved +all +\d+\.\d{3} +4\.300/);
  const none = await tempehFlow([...args, '--scans', join(folder, 'exact', 'A')]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /None of 3 frames can be measured; the first: its scan is missing/);
  assert.equal((await tempehFlow(args)).code, 2);
});
