import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfiguration } from '../../configs/load.js';
import { encodePng } from '../../datasets/formats/images/image.js';
import { formatNpz } from '../../datasets/formats/numpy/npz.js';
import { regionNames } from '../../datasets/vertexRegions.js';
import { formatNpy } from '../../datasets/formats/numpy/npy.js';
import { formatObj } from '../../datasets/formats/meshes/obj.js';
import { formatPly } from '../../datasets/formats/meshes/ply.js';
import { writeTar } from '../../datasets/formats/archives/tar.js';
import { formatTka } from '../../datasets/formats/tka.js';
import type { DatasetIndex, FrameId, IndexedFrame } from '../../datasets/types.js';
import { evaluateRun } from '../../evaluation/evaluateRun.js';
import { translated } from '../../evaluation/heads/rigidAlignment.js';
import type { Measurement } from '../../evaluation/measure/types.js';
import { methodNames, type Evaluation } from '../../evaluation/types.js';
import { runReport } from '../../report/runReport.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../../storage/keys.js';
import { tempehFlow } from '../support/commandLine.js';
import { bumpyMesh } from '../geometry/meshes.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** A head of 100 mm radius that stands at a place of its own in each frame. */
const head = bumpyMesh(16);
const trained: FrameId[] = ['0001', '0002'].map((frame) => ({ subject: 'A', sequence: 'talk', frame }));
const tested: FrameId[] = ['0001', '0002', '0003'].map((frame) => ({ subject: 'B', sequence: 'smile', frame }));
const placeOf = (id: FrameId): [number, number, number] => [30 * Number(id.frame), -50, 10];

const folder = temporaryFolder();
const store = directoryStore(folder);
const configuration = await loadConfiguration('miniature', ['storage.kind=directory', `storage.path=${folder}`]);
const run = 'run';

const put = async (key: string, body: Uint8Array) => {
  await store.put(key, body);
  return { key: key.replace('datasets/miniature/', ''), size: body.length, sha256: '0'.repeat(64) };
};
const ply = (vertices: Float32Array) =>
  formatPly({ vertices: vertices.map((millimetres) => millimetres / 1000), faces: head.faces });
const atPlace = (id: FrameId, offset = 0) => {
  const [x, y, z] = placeOf(id);
  return translated(head.vertices, [x + offset, y, z]);
};

async function packFrame(id: FrameId): Promise<IndexedFrame> {
  const root = 'datasets/miniature';
  const path = `${id.subject}/${id.sequence}`;
  const png = await encodePng({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 3).fill(90) });
  const tka = formatTka({
    rotation: Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1),
    centre: [60, -50, 900],
    focalLength: 8,
    undistortion: [0, 0],
    skew: 0,
    pixelSize: [0.06, 0.06],
    principalPoint: [64, 48],
    imageSize: [128, 96],
  });
  const points = atPlace(id);
  const scan = formatNpy({ shape: [points.length / 3, 3], data: points });
  return {
    id,
    images: await put(`${root}/images/${path}/${id.frame}.tar`, writeTar([{ name: '01_C.png', bytes: png }])),
    calibrations: [await put(`${root}/calibrations/${path}/01_C.tka`, Buffer.from(tka))],
    scan: await put(`${root}/scans/${path}/${id.sequence}.${id.frame}.npy`, scan),
    registration: await put(`${root}/registrations/${path}/${id.sequence}.${id.frame}.ply`, ply(points)),
  };
}

const train: IndexedFrame[] = [];
const testFrames: IndexedFrame[] = [];
for (const id of trained) train.push(await packFrame(id));
for (const id of tested) testFrames.push(await packFrame(id));
const metres = { vertices: head.vertices.map((millimetres) => millimetres / 1000), faces: head.faces };
const region = { shape: [2], data: BigInt64Array.of(0n, 1n) };
const masks = formatNpz(new Map(regionNames.map((name) => [name, region])));
const index: DatasetIndex = {
  version: 1,
  name: 'miniature',
  storedResizeFactor: 4,
  imageExtension: 'png',
  vertexCount: head.vertices.length / 3,
  template: await put('datasets/miniature/template.obj', Buffer.from(formatObj(metres))),
  vertexMasks: await put('datasets/miniature/masks.npz', masks),
  splits: { train, validation: [], test: testFrames },
  unusable: [],
};
await put(keys.datasetIndex('miniature'), Buffer.from(JSON.stringify(index)));

const predict = (stage: 'coarse' | 'refinement', id: FrameId, offset: number) =>
  store.put(`${keys.testPredictions(run, stage)}/${frameMeshPath(id)}`, ply(atPlace(id, offset)));
const evaluate = () => evaluateRun({ store, configuration, run });
const meansOf = ({ methods }: Evaluation, of: 'pointToSurface' | 'vertices') =>
  Object.fromEntries(methods.map((row) => [row.method, row[of]?.mean ?? NaN]));

describe('evaluation of a run', () => {
  test('evaluation of a run: without a prediction it says what to do', async () => {
    await assert.rejects(evaluate(), /There is no prediction at runs\/run\/evaluation\/coarse.*predict the test set/s);
  });

  test('known displacements come out as known errors, the guesses beside them', async () => {
    for (const id of tested) {
      await predict('coarse', id, 4);
      await predict('refinement', id, 1);
      const [x, y, z] = placeOf(id);
      const path = frameLocaliserPath(id);
      const placement = { centre: [x, y, z + 2], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], scales: [0.4, 0.4, 0.4] };
      await store.put(`${keys.testPredictions(run, 'coarse')}/${path}`, Buffer.from(JSON.stringify(placement)));
    }
    const progress: number[] = [];
    const evaluation = await evaluateRun({ store, configuration, run, onProgress: ({ done }) => progress.push(done) });
    assert.deepEqual(progress, [1, 2, 3]);
    assert.deepEqual([evaluation.frames, evaluation.subjects, evaluation.leftOut], [3, ['B'], []]);

    const vertices = meansOf(evaluation, 'vertices');
    assert.ok(Math.abs(vertices[methodNames.coarse]! - 4) < 1e-3);
    assert.ok(Math.abs(vertices[methodNames.refinement]! - 1) < 1e-3);
    // The mesh's own centroid is not at 0 for this test's head: the guess is centred at the place, the head is not.
    assert.ok(vertices[methodNames.meanHeadLocalised]! < 8);
    // 30, 60 and 90 mm from the volume's centre along x, 10 along z.
    const distances = [30, 60, 90].map((x) => Math.hypot(x, 10));
    const expected = distances.reduce((sum, distance) => sum + distance, 0) / 3;
    assert.ok(Math.abs(vertices[methodNames.meanHeadCentred]! - expected) < 8);

    const surface = meansOf(evaluation, 'pointToSurface');
    assert.ok(surface[methodNames.refinement]! < surface[methodNames.coarse]!);
    assert.ok(surface[methodNames.coarse]! < 4, 'the nearest point is nearer than the same point');
    assert.equal(evaluation.perSequence[0]?.frames, 3);

    const written = JSON.parse(Buffer.from((await store.get(keys.evaluation(run))).body).toString()) as Evaluation;
    assert.deepEqual(written, evaluation);
  });

  test('the report shows view, meshes and errors, and needs nothing from elsewhere', async () => {
    await store.put(keys.runConfiguration(run), Buffer.from(JSON.stringify(configuration)));
    const page = (await runReport({ store, run }))!;
    for (const caption of ['view 01_C', 'registration', 'coarse', 'refinement: error'])
      assert.ok(page.includes(`alt="${caption}"`));
    assert.equal(page.match(/<img /g)?.length, 3 * 6);
    assert.doesNotMatch(page, /(src|href)="(?!data:)/);
    assert.match(page, /prefers-color-scheme: dark/);
  });

  test('the command measures the run with regions, and reports a run that is not there', async () => {
    const out = join(folder, 'measured');
    const where = ['--set', 'storage.kind=directory', '--set', `storage.path=${folder}`, '--config', 'miniature'];
    const { code, stdout, stderr } = await tempehFlow(['evaluate', run, ...where, '--out', out]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\(3 frames\)/);
    assert.match(stdout, /mean head at the true pose .*\n[^]*identity +expression +explained/);
    const measured = JSON.parse(await readFile(join(out, 'evaluation.json'), 'utf8')) as Measurement;
    const vertices = measured.methods.map(({ method, vertices: of }) => [method, of?.mean.toFixed(2)]);
    assert.deepEqual(vertices, [
      ['coarse', '4.00'],
      ['refinement', '1.00'],
      // All heads have one shape here: at the true pose the mean is the truth.
      [methodNames.meanHeadPosed, '0.00'],
      [methodNames.meanHeadLocalised, '2.00'],
      [methodNames.meanHeadCentred, '61.00'],
      [methodNames.registration, '0.00'],
    ]);
    const coarse = measured.methods[0];
    assert.ok(
      Math.abs(coarse!.parts!.pose - 4) < 1e-3 && coarse!.aligned!.vertices.mean < 1e-3,
      'it is moved, no more',
    );
    assert.ok(measured.regions.some(({ region }) => region === 'lips'));
    const unknown = await tempehFlow(['evaluate', 'rum', ...where, '--out', out]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /There is no run rum in /);
  });

  test('a frame that one stage lacks is in no method’s figures, and named', async () => {
    await store.delete([
      `${keys.testPredictions(run, 'refinement')}/${frameMeshPath({ subject: 'B', sequence: 'smile', frame: '0002' })}`,
    ]);
    const evaluation = await evaluate();
    assert.equal(evaluation.frames, 2);
    assert.deepEqual(evaluation.leftOut, [
      { subject: 'B', sequence: 'smile', frame: '0002', reason: 'its refinement prediction is missing' },
    ]);
    const counts = new Set(evaluation.methods.map(({ pointToSurface }) => pointToSurface.count));
    assert.equal(counts.size, 1);
  });

  test('a prediction in another topology is named', async () => {
    const key = `${keys.testPredictions(run, 'coarse')}/${frameMeshPath({ subject: 'B', sequence: 'smile', frame: '0001' })}`;
    await store.put(key, formatPly(bumpyMesh(8)));
    await assert.rejects(evaluate(), /smile\.0001\.ply: 64 vertices; expected 256/);
  });
});
