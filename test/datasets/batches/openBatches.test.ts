import assert from 'node:assert/strict';
import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { openBatches, type Batches } from '../../../datasets/batches/openBatches.js';
import { prepareSurface } from '../../../datasets/batches/prepareSurface.js';
import type { LoaderSettings } from '../../../datasets/batches/settings.js';
import { framePath, imagePath } from '../../../datasets/layout.js';
import { FrameUnreadable } from '../../../datasets/reader/errors.js';
import type { Batch } from '../../../datasets/types.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { gridRotations } from '../../../geometry/gridRotations.js';
import { assertGolden } from '../../support/golden/golden.js';
import { copiedFolder, goldenDataset, goldenFolder, goldenFrames } from '../reader/goldenFolder.js';
import { packGolden } from '../reader/packedGolden.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';
import { batchSettings } from '../../support/tiny/batchSettings.js';

const training = batchSettings({
  batchSize: 3,
  augmentation: { enabled: true, scale: [0.9, 1.1], brightnessSigma: 0.33 },
});

async function open(
  context: TestContext,
  changes: Partial<LoaderSettings> & { folder?: string; ahead?: number } = {},
): Promise<Batches> {
  const { folder = goldenFolder, ahead = 2, ...settings } = changes;
  const batches = await openBatches(
    {
      source: { kind: 'directory', path: folder, dataset: goldenDataset },
      viewKind: 'stereo',
      coarsePredictions: null,
      threads: 1,
      ...settings,
    },
    ahead,
    { warn: assert.fail },
  );
  context.after(() => batches.close());
  return batches;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const plain = { split: 'validation', resizeFactor: 8, scanPoints: 20, limit: null } as const;

describe('training batches', () => {
  test('depend on the step alone: not on the start, the order of asking, the threads, the look-ahead, or the store', async (context) => {
    const steps = [0, 1, 2, 3, 4, 5];
    const one = await open(context);
    const expected: Batch[] = [];
    for (const step of steps) expected.push(await one.training(step, training, 5));
    assert.deepEqual(
      expected.map(({ step }) => step),
      steps,
    );
    assert.ok(new Set(expected.map(({ shape }) => shape.views)).size > 1);

    const root = temporaryFolder();
    await packGolden(directoryStore(join(root, 'store')), 'golden');
    const source = {
      kind: 'store',
      storage: { kind: 'directory', path: join(root, 'store') },
      dataset: 'golden',
      cacheDirectory: join(root, 'cache'),
      cacheBytes: 1e9,
    } as const;
    const others = await Promise.all([
      open(context, { threads: 2, ahead: 1 }),
      open(context, { threads: 3, ahead: 5 }),
      open(context, { source }),
    ]);
    for (const batches of others) {
      for (const step of [4, 5, 1, 2]) {
        assert.deepEqual(await batches.training(step, training, 5), expected[step], `step ${step}`);
      }
    }
    assert.ok(others[2].bytesRead() > 500_000);
  });

  test('are the same in memory of batches that were given back, of more views or fewer, padded or not', async (context) => {
    const [one, other] = [await open(context, { ahead: 0 }), await open(context, { ahead: 0, threads: 2 })];
    let reused = 0;
    for (let step = 0; step < 10; step++) {
      const batch = await other.training(step, training, 9);
      assert.deepEqual(batch, await one.training(step, training, 9), `step ${step}`);
      if (batch.images.buffer.byteLength > batch.images.byteLength) reused++;
      other.reuse(batch);
      for await (const validated of other.validation({ ...plain, batchSize: 1, limit: 1 })) other.reuse(validated);
    }
    assert.ok(reused > 0, 'no batch lay in memory of a larger one');
  });

  test('no batch beyond the last step is prepared, and one asked for twice is the same', async (context) => {
    const batches = await open(context, { ahead: 4 });
    const last = await batches.training(9, training, 9);
    assert.deepEqual(await batches.training(9, training, 9), last);
  });

  test('an unreadable frame is named, on this side of the thread', async (context) => {
    const folder = await copiedFolder();
    await truncate(join(folder, 'images', imagePath(goldenFrames[1], '01_B')), 1000);
    const batches = await open(context, { folder });
    await assert.rejects(batches.training(0, training, 0), (error: unknown) => {
      assert.ok(error instanceof FrameUnreadable, String(error));
      assert.deepEqual(error.frame, goldenFrames[1]);
      assert.match(error.message, /^Frame subject_001\/seq_a\/000002 cannot be read: .*seq_a\.000002\.01_B\.png/);
      return true;
    });
  });
});

describe('what the step would have to compute', () => {
  test('comes with training batches: rotations of the grids by seed and step, visibility by the augmented cameras', async (context) => {
    const path = join(goldenFolder, 'predictions');
    const coarsePredictions = { kind: 'directory', path } as const;
    const batches = await open(context, { coarsePredictions, surfaceResolution: 100, threads: 2 });
    const grids = batches.template.vertices.length / 3;
    for (const step of [3, 0]) {
      const batch = await batches.training(step, { ...training, gridRotations: 'refinement' }, 3);
      assert.deepEqual(batch.gridRotations, gridRotations(5, 'refinement', step, 3, grids));
      assert.equal(batch.surface!.vertices, batch.coarseVertices);
      assert.deepEqual(batch.surface, prepareSurface(batch, batches.template.faces, 100));
    }
  });
});

describe('plain batches', () => {
  test('hold all views of the frames in order, unaugmented, the last batch what is left', async (context) => {
    const batches = await open(context);
    const [pair, ...rest] = await collect(batches.validation({ ...plain, batchSize: 2 }));
    assert.equal(rest.length, 0);
    assert.deepEqual(pair!.frames, goldenFrames);
    assert.deepEqual(pair!.shape, { batch: 2, views: 4, height: 150, width: 200 });
    assertGolden(
      'coarse/inputs/stereo_images',
      channelsFirst(pair!.images.subarray(0, pair!.images.length / 2), 200 * 150),
    );
    assertGolden('coarse/inputs/stereo_camera_intrinsics', pair!.intrinsics.subarray(0, 4 * 9));
    assertGolden('coarse/inputs/stereo_camera_extrinsics', pair!.extrinsics.subarray(0, 4 * 12));
    assertGolden('coarse/inputs/stereo_camera_distortions', pair!.distortions.subarray(0, 4 * 2));
    assertGolden('coarse/inputs/v_registration', pair!.vertices!.subarray(0, 642 * 3));
    assert.deepEqual(
      pair!.scanPoints.map((points) => points.length),
      [60, 60],
    );

    const singles = await collect(batches.validation({ ...plain, batchSize: 1 }));
    assert.deepEqual(
      singles.map(({ frames }) => frames[0]),
      goldenFrames,
    );
    assert.deepEqual(singles[1]!.images, pair!.images.slice(pair!.images.length / 2));
    assert.equal((await collect(batches.validation({ ...plain, batchSize: 4, limit: 1 })))[0]!.frames.length, 1);
    const unlimited = await collect(batches.validation({ ...plain, batchSize: 2, scanPoints: null }));
    assert.deepEqual(
      unlimited[0]!.scanPoints.map((points) => points.length),
      [9000, 9000],
    );
  });

  test('refinement gets the coarse predictions, in millimetres', async (context) => {
    const path = join(goldenFolder, 'predictions');
    const batches = await open(context, { coarsePredictions: { kind: 'directory', path }, surfaceResolution: 200 });
    const [batch] = await collect(batches.validation({ ...plain, batchSize: 1, limit: 1, resizeFactor: 4 }));
    assert.deepEqual([batch!.shape.width, batch!.shape.height], [400, 300]);
    assertGolden('refinement/inputs/v_reg_global', batch!.coarseVertices!);
    const { vertices, normals, visibility } = batch!.surface!;
    assert.equal(vertices, batch!.coarseVertices, 'they are recognised on this side of the thread');
    assert.equal(normals.length, vertices.length);
    assert.deepEqual(visibility, prepareSurface(batch!, batches.template.faces, 200).visibility);
    assertGolden('refinement/inputs/stereo_images', channelsFirst(batch!.images, 400 * 300));
  });

  test('coarse predictions come through the cache that the frames come through: another run on the machine fetches nothing', async (context) => {
    const root = temporaryFolder();
    const storage = { kind: 'directory', path: join(root, 'store') } as const;
    const store = directoryStore(storage.path);
    await packGolden(store, 'golden');
    const prefix = 'runs/r/predictions/coarse';
    const folder = join(goldenFolder, 'predictions');
    for (const file of await readdir(folder, { recursive: true })) {
      if (file.endsWith('.ply')) await store.put(`${prefix}/${file}`, await readFile(join(folder, file)));
    }
    const opened = (cache: string, threads: number): Promise<Batches> =>
      open(context, {
        source: { kind: 'store', storage, dataset: 'golden', cacheDirectory: join(root, cache), cacheBytes: 1e9 },
        coarsePredictions: { kind: 'store', storage, prefix },
        threads,
      });
    const read = (batches: Batches) => collect(batches.validation({ ...plain, batchSize: 1 }));
    const [first, second] = await Promise.all([opened('cache', 1), opened('cache', 2)]);
    const [expected] = await read(await open(context, { coarsePredictions: { kind: 'directory', path: folder } }));
    for (const batches of [first, second]) {
      const [batch] = await read(batches);
      assert.deepEqual(batch!.coarseVertices, expected!.coarseVertices);
    }
    const counted = first.cacheCounts();
    assert.ok(counted.misses > 0 && counted.missBytes === first.bytesRead());
    const last = await opened('cache', 1);
    await read(last);
    const { hits, misses } = last.cacheCounts();
    assert.equal(misses, 0);
    // Without predictions it is one less.
    const without = await open(context, {
      source: { kind: 'store', storage, dataset: 'golden', cacheDirectory: join(root, 'cache'), cacheBytes: 1e9 },
    });
    const frames = await read(without);
    assert.equal(hits - without.cacheCounts().hits, frames.length);
    // Predicted anew: what is read is what is there now.
    const { subject, sequence, frame } = frames[0]!.frames[0]!;
    await store.delete([`${prefix}/${framePath({ subject, sequence, frame }, 'ply')}`]);
    await assert.rejects(read(await opened('cache', 1)), FrameUnreadable);
  });

  test('a missing coarse prediction is reported by its frame', async (context) => {
    const root = temporaryFolder();
    const storage = { kind: 'directory', path: root } as const;
    for (const coarsePredictions of [
      { kind: 'directory', path: root },
      { kind: 'store', storage, prefix: 'runs/r/predictions/coarse' },
    ] as const) {
      const batches = await open(context, { coarsePredictions });
      await assert.rejects(
        collect(batches.validation({ ...plain, batchSize: 1 })),
        (error: unknown) => error instanceof FrameUnreadable && /coarse prediction/.test(error.message),
      );
    }
  });

  test('one frame a batch: an unreadable frame comes as its error, and the next ones follow', async (context) => {
    const folder = await copiedFolder();
    await truncate(join(folder, 'images', imagePath(goldenFrames[0], '01_B')), 1000);
    const batches = await open(context, { folder });
    const [bad, good] = await collect(
      batches.single(
        goldenFrames.map((id) => ({ split: 'test', id })),
        8,
      ),
    );
    assert.ok(bad instanceof FrameUnreadable);
    assert.deepEqual(bad.frame, goldenFrames[0]);
    assert.ok(good && !(good instanceof Error));
    assert.deepEqual(good.frames, [goldenFrames[1]]);
  });
});

test('a closed loader refuses, and what was waited for ends', async (context) => {
  const batches = await open(context);
  const pending = batches.training(0, training, 100);
  await batches.close();
  await assert.rejects(pending);
  await assert.rejects(batches.training(200, training, 300), /ended/);
});

/** `[V, H, W, 3]` to the published order `[V, 3, H, W]`. */
function channelsFirst(data: Float32Array, pixels: number): Float32Array {
  return Float32Array.from(data, (_, i) => {
    const view = Math.floor(i / (3 * pixels));
    const inView = i % (3 * pixels);
    return data[3 * (view * pixels + (inView % pixels)) + Math.floor(inView / pixels)]!;
  });
}
