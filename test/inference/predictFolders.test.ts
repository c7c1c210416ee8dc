import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { framePath } from '../../datasets/layout.js';
import { readTemplate } from '../../datasets/reader/readTemplate.js';
import type { FrameId } from '../../datasets/types.js';
import { FoldersUnsuitable, FrameFailed } from '../../inference/folders/job.js';
import { predictFolders } from '../../inference/folders/predictFrameList.js';
import { PredictionStopped } from '../../inference/stopped.js';
import type { PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import { coarseLayout } from '../../model/parameters/parameterLayout.js';
import { copiedFolder, goldenFolder, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { folderJob, tinyNetworks } from './folderJob.js';
import { untrained, writeCheckpoint, writeTinyModels } from './tinyModels.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const never = new AbortController().signal;
const [first, second] = goldenFrames;

interface Places {
  readonly data: string;
  readonly models: string;
  readonly out: string;
}

async function places(context: TestContext, data = goldenFolder): Promise<Places> {
  const folder = temporaryFolder();
  await writeTinyModels(folder);
  return { data, models: folder, out: join(folder, 'out') };
}

async function predict(
  job: Parameters<typeof predictFolders>[0],
): Promise<PredictionResult & { warnings: readonly string[] }> {
  const warnings: string[] = [];
  const result = await predictFolders(
    job,
    (event) => {
      if (event.kind === 'warning') warnings.push(event.message);
    },
    never,
  );
  return { ...result, warnings };
}

async function metres(folder: string, id: FrameId): Promise<Float32Array> {
  const file = join(folder, framePath(id, 'ply'));
  return parsePly(await readFile(file), file).vertices;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

async function isThere(folder: string, id: FrameId): Promise<boolean> {
  return (await stat(join(folder, framePath(id, 'ply'))).catch(() => null)) !== null;
}

test('meshes of the template’s topology in metres; what is there is not predicted again', async (context) => {
  const at = await places(context);
  const { predicted, failures, warnings } = await predict(folderJob('coarse', at));
  assert.deepEqual([predicted, failures, warnings], [2, [], []]);
  const file = join(at.out, framePath(first, 'ply'));
  const mesh = parsePly(await readFile(file), file);
  assert.deepEqual(mesh.faces, (await readTemplate(join(at.data, 'template.obj'))).faces);
  assert.equal(mesh.vertices.length, 3 * 642);
  assert.ok(mesh.vertices.every((coordinate) => Math.abs(coordinate) < 1));
  const again = await predict(folderJob('coarse', at));
  assert.deepEqual([again.predicted, again.skipped], [0, 2]);
});

test('both models in turn give what the refinement makes of coarse predictions in files', async (context) => {
  const at = await places(context);
  const [coarse, refined] = [join(at.out, 'coarse'), join(at.out, 'refined')];
  await predict(folderJob('both', at, { outputs: { coarse, refinement: refined } }));
  const fromFiles = join(at.out, 'from-files');
  await predict(folderJob('refinement', { ...at, out: fromFiles }, { coarsePredictions: coarse }));
  for (const id of goldenFrames) {
    const inMemory = await metres(refined, id);
    // A file holds the coarse vertices in metres: rounding, in a network that is not trained.
    assert.ok(largestDifference(inMemory, await metres(fromFiles, id)) < 1e-6);
    assert.ok(largestDifference(inMemory, await metres(coarse, id)) > 1e-4, 'the refinement moves vertices');
  }
});

test('a frame without images is reported with what there is; one with fewer views is predicted from them', async (context) => {
  const at = await places(context, await copiedFolder());
  const images = (id: FrameId): string => join(at.data, 'images', id.subject, id.sequence, id.frame);
  await rm(images(first), { recursive: true });
  await rm(join(images(second), `${second.sequence}.${second.frame}.00_B.png`));
  const { predicted, failures, warnings } = await predict(folderJob('coarse', at));
  assert.equal(predicted, 1);
  assert.equal(failures.length, 1);
  assert.deepEqual(failures[0]?.id, first);
  assert.match(failures[0].reason, /images are looked for in .*000001: there is no such folder/);
  assert.match(warnings.join('\n'), /subject_001\/seq_a\/000002: predicted from 3 views; there is no image of 00_B/);
  assert.ok(!(await isThere(at.out, first)));
  await assert.rejects(predict(folderJob('coarse', at, { strict: true })), FrameFailed);
});

test('what keeps a rig of one’s own from being predicted is reported by frame', async (context) => {
  const at = await places(context);
  const colour = { ...tinyNetworks, viewKind: 'colour' } as const;
  const none = await predict(folderJob('coarse', at, { configuration: colour }));
  assert.equal(none.failures.length, 2);
  assert.match(none.failures[0]!.reason, /0 of the cameras are colour ones by their names .*--set viewKind=all/);
  const asJpeg = { ...tinyNetworks, dataset: { ...tinyNetworks.dataset, imageExtension: 'jpg' } };
  const { failures } = await predict(folderJob('coarse', at, { configuration: asJpeg }));
  assert.match(failures[0]!.reason, /000001\.00_A\.png.*--set dataset\.imageExtension/);
});

test('cameras that are left out are as if they were not there', async (context) => {
  const at = await places(context);
  const two = { ...tinyNetworks, cameras: ['00_A', '01_B'] };
  const { failures, warnings } = await predict(folderJob('coarse', at, { configuration: two }));
  assert.deepEqual([failures, warnings], [[], []]);
  const without = { ...(await places(context, await copiedFolder())), models: at.models };
  for (const { subject, sequence, frame } of goldenFrames) {
    for (const camera of ['00_B', '01_A']) {
      await rm(join(without.data, 'images', subject, sequence, frame, `${sequence}.${frame}.${camera}.png`));
      await rm(join(without.data, 'calibrations', subject, sequence, `${camera}.tka`), { force: true });
    }
  }
  await predict(folderJob('coarse', without));
  assert.deepEqual(await metres(at.out, first), await metres(without.out, first));
  // Other views make other predictions: they do not mix in one folder.
  await assert.rejects(
    predict(folderJob('coarse', at, { configuration: { ...two, viewsAtMost: 2 } })),
    FoldersUnsuitable,
  );
  const wrong = { ...tinyNetworks, cameras: ['00_A', '07_C'] };
  const none = await predict(folderJob('coarse', { ...at, out: `${at.out}-2` }, { configuration: wrong }));
  assert.match(none.failures[0]!.reason, /1 usable views, and needs two: .*asked for are 00_A, 07_C \(--cameras\)/);
});

test('predictions of two models do not mix in one folder', async (context) => {
  const at = await places(context);
  await predict(folderJob('coarse', at, { list: { ...folderJob('coarse', at).list, to: 1 } }));
  const before = await metres(at.out, first);
  await writeTinyModels(at.models, 2);
  await assert.rejects(predict(folderJob('coarse', at)), (error: Error) => {
    assert.ok(error instanceof FoldersUnsuitable);
    assert.match(error.message, /predictions by another model .*--overwrite/);
    return true;
  });
  const { predicted } = await predict(folderJob('coarse', at, { overwrite: true }));
  assert.equal(predicted, 2);
  assert.ok(largestDifference(before, await metres(at.out, first)) > 1e-4);
});

test('numbers that are not finite are never written, nor are such weights taken', async (context) => {
  const at = await places(context);
  const layouts = coarseLayout(tinyNetworks.model.coarse, 642);
  const values = untrained(1);
  const writeFilled = (value: number) =>
    writeCheckpoint(join(at.models, 'coarse.pth'), layouts, (layout) =>
      layout.name.endsWith('output_layer.weight') ? values(layout).fill(value) : values(layout),
    );
  await writeFilled(NaN);
  await assert.rejects(predict(folderJob('coarse', at)), /output_layer\.weight/);
  // Finite weights may overflow.
  await writeFilled(3e38);
  const { predicted, failures } = await predict(folderJob('coarse', at));
  assert.equal(predicted, 0);
  assert.match(failures[0]!.reason, /the model gave NaN for vertex 0/);
  assert.ok(!(await isThere(at.out, first)));
});

test('a template of another topology is refused, and both counts are named', async (context) => {
  const at = await places(context);
  const obj = join(at.models, 'other.obj');
  await writeFile(obj, 'v 0 0 0\nv 0.2 0 0\nv 0 0.2 0\nf 1 2 3\n');
  await assert.rejects(predict(folderJob('coarse', at, { template: { kind: 'file', path: obj } })), (error: Error) => {
    assert.match(error.message, /predicts 642 vertices, but the template .*other\.obj has 3/);
    return true;
  });
});

test('a checkpoint of the other model is told apart', async (context) => {
  const at = await places(context);
  const models = { coarse: { kind: 'file' as const, path: join(at.models, 'refinement.pth') }, refinement: null };
  await assert.rejects(predict(folderJob('coarse', at, { models })), /refinement\.pth holds a refinement model/);
});

test('stopped after a frame, it goes on with the next one', async (context) => {
  const at = await places(context);
  const stopping = new AbortController();
  const stopAtFirst = (event: PredictorEvent): void => {
    if (event.kind === 'progress' && event.progress.done === 1) stopping.abort('enough');
  };
  await assert.rejects(predictFolders(folderJob('coarse', at), stopAtFirst, stopping.signal), PredictionStopped);
  const { predicted, skipped } = await predict(folderJob('coarse', at));
  assert.ok(skipped >= 1 && predicted + skipped === 2, `${predicted} predicted, ${skipped} skipped`);
});
