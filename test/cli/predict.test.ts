import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { framePath } from '../../datasets/layout.js';
import { meshInMillimetres } from '../../datasets/reader/meshes.js';
import { goldenFolder, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { writeCheckpoint } from '../inference/tinyModels.js';
import { assertGolden } from '../support/golden/golden.js';
import { goldenLayout, goldenWeights } from '../support/golden/goldenModel.js';
import { tempehFlow, type Finished } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** The command lines of the published testing, on published run folders with complete networks of the published size. */
const folder = temporaryFolder();
const stages = ['coarse', 'refinement'] as const;
const runs = { coarse: join(folder, 'coarse__TEMPEH'), refinement: join(folder, 'refinement__TEMPEH') };
const [frame] = goldenFrames;
const list = join(folder, 'one.json');

const options = JSON.parse(
  await readFile(new URL('../../../test/configs/publishedOptions.json', import.meta.url), 'utf8'),
) as Record<string, object>;
for (const stage of stages) {
  await mkdir(join(runs[stage], 'checkpoints'), { recursive: true });
  await writeCheckpoint(
    join(runs[stage], 'checkpoints', 'model_00150000.pth'),
    goldenLayout(stage),
    goldenWeights(stage),
  );
  await writeFile(join(runs[stage], 'checkpoints', 'model_00005000.pth'), 'an earlier one, which must not be read');
  // A later version of the published program may write more options.
  const config = { train: { ...options[stage], added_later: 1 } };
  await writeFile(join(runs[stage], 'config.json'), JSON.stringify(config));
}
await writeFile(list, JSON.stringify([[frame.subject, frame.sequence, frame.frame]]));

function published(stage: (typeof stages)[number], out: string, ...more: string[]): Promise<Finished> {
  const places = ['--image_directory', join(goldenFolder, 'images')];
  places.push(`--calibration_directory=${join(goldenFolder, 'calibrations')}`, '--data_list_fname', list);
  if (stage === 'refinement') places.push('--coarse_prediction_root_dir', join(goldenFolder, 'predictions'));
  return tempehFlow(['predict', stage, `--${stage}_model_run_dir`, runs[stage], ...places, '--out_dir', out, ...more]);
}

describe('the published command lines give the published numbers', () => {
  for (const stage of stages) {
    test(stage, { timeout: 300_000 }, async (context) => {
      const out = join(folder, `out-${stage}`);
      // What a published run has beside its checkpoints: the command needs no option of ours.
      const topology = join(runs[stage], 'mesh_sampler.npz');
      await copyFile(join(packageRoot, 'test/datasets/reader/mesh_sampler.npz'), topology);
      context.after(() => rm(topology));
      const { code, stdout, stderr } = await published(stage, out);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /1 frame predicted in .*s; /);
      const file = join(out, framePath(frame, 'ply'));
      assertGolden(`${stage}/vertices`, meshInMillimetres(parsePly(await readFile(file), file)).vertices);
    });
  }
});

test('where one of several frames cannot be predicted the command fails, unless that is allowed', async () => {
  const mixed = join(folder, 'mixed.json');
  await writeFile(
    mixed,
    JSON.stringify([
      [frame.subject, frame.sequence, frame.frame],
      ['nobody', 'seq_a', '000001'],
    ]),
  );
  // The first frame is there already.
  const args = ['--template', join(goldenFolder, 'template.obj'), '--list', mixed, '--coarse-model', runs.coarse];
  args.push('--images', join(goldenFolder, 'images'), '--calibrations', join(goldenFolder, 'calibrations'));
  args.push('--out', join(folder, 'out-coarse'));
  const refused = await tempehFlow(['predict', 'coarse', ...args]);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stdout, /1 there before; 1 could not be predicted/);
  const allowed = await tempehFlow(['predict', 'coarse', ...args, '--allow-failures']);
  assert.equal(allowed.code, 0, allowed.stderr);
});

test('without a topology it says what to name, and where it looked', async () => {
  const { code, stderr } = await published('coarse', join(folder, 'none'));
  assert.equal(code, 2);
  assert.match(stderr, /--template FILE .*Looked for: .*mesh_sampler\.npz/s);
});

test('a frame that cannot be predicted is noted beside the predictions; with none at all the command fails', async () => {
  const out = join(folder, 'bad');
  const template = ['--template', join(goldenFolder, 'template.obj'), '--images', folder];
  const args = ['--coarse-model', runs.coarse, '--list', list, '--out', out, ...template];
  args.push('--calibrations', join(goldenFolder, 'calibrations'));
  const other = await tempehFlow(['predict', 'coarse', ...args]);
  assert.equal(other.code, 1, other.stderr);
  assert.match(other.stdout, /--images .*: expected SUBJECT\/SEQUENCE\/FRAME\/.*nothing below it is called so/);
  assert.match(other.stdout, /1 could not be predicted/);
  const noted = JSON.parse(await readFile(join(out, 'failed-frames.json'), 'utf8')) as { frame: string[] }[];
  assert.deepEqual(noted[0]?.frame, ['subject_000', 'seq_a', '000001']);
});

test('predict finds folders that are wrapped once more, or named one too high', async (context) => {
  const extracted = join(folder, 'extracted');
  await cp(join(goldenFolder, 'images'), join(extracted, 'by/hand/downsampled_images_4'), { recursive: true });
  await cp(join(goldenFolder, 'calibrations'), join(extracted, 'train_calibrations'), { recursive: true });
  await mkdir(join(extracted, '__MACOSX', frame.subject, frame.sequence, frame.frame), { recursive: true });
  await mkdir(join(extracted, 'run'));
  await rename(runs.coarse, join(extracted, 'run/coarse__TEMPEH'));
  context.after(async () => {
    await rename(join(extracted, 'run/coarse__TEMPEH'), runs.coarse);
    await rm(extracted, { recursive: true });
  });
  // All is there but for the frame itself, which is predicted already.
  const places = [
    '--list',
    list,
    '--template',
    join(goldenFolder, 'template.obj'),
    '--out',
    join(folder, 'out-coarse'),
  ];
  const images = ['--image_directory', extracted, '--calibration_directory', extracted];
  const run = ['predict', 'coarse', '--coarse_model_run_dir', join(extracted, 'run'), ...places];
  const { code, stdout, stderr } = await tempehFlow([...run, ...images]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /images {2}.*by\/hand\/downsampled_images_4\n/);
  assert.match(stdout, /calibrations {2}.*train_calibrations\n/);
  assert.match(stdout, /coarse model {2}.*run\/coarse__TEMPEH\/checkpoints\/model_00150000\.pth/);
  await cp(join(goldenFolder, 'images'), join(extracted, 'again'), { recursive: true });
  const two = await tempehFlow([...run, ...images]);
  assert.equal(two.code, 2);
  assert.match(
    two.stderr,
    /its folders again, by\/hand\/downsampled_images_4 hold frames of the list: name one of them/,
  );
});

test('models of other stages and networks, and cameras that no frame has, are reported before anything is started', async () => {
  const places = ['--list', list, '--images', join(goldenFolder, 'images'), '--out', join(folder, 'nothing')];
  places.push('--calibrations', join(goldenFolder, 'calibrations'), '--template', join(goldenFolder, 'template.obj'));
  const predict = (coarse: string, refinement: string, ...more: string[]): Promise<Finished> =>
    tempehFlow(['predict', 'both', '--coarse-model', coarse, '--refinement-model', refinement, ...places, ...more]);
  // Nothing answers there: whoever asks Temporal first says so.
  const nowhere = ['--workflow', '--address', '127.0.0.1:1'];
  const swapped = await predict(runs.refinement, runs.coarse, ...nowhere);
  assert.equal(swapped.code, 2);
  assert.match(swapped.stderr, /model_00150000\.pth holds a refinement model; expected a coarse model/);
  const twice = await predict(runs.coarse, runs.coarse, ...nowhere);
  assert.match(twice.stderr, /holds a coarse model; expected a refinement model/);
  // The configuration, not the one beside the checkpoint, is another's.
  const other = await predict(runs.coarse, runs.refinement, '--set', 'model.refinement.v2v.frontChannels=8');
  assert.equal(other.code, 2);
  assert.match(other.stderr, /misshapen: .* is \[.*\], but should be \[8,/);
  const cameras = await predict(runs.coarse, runs.refinement, '--cameras', '00_A,00_X,01_A');
  assert.equal(cameras.code, 2);
  assert.match(cameras.stderr, /--cameras .*found "00_X", of which no frame .*; there are "/);
  assert.equal(cameras.stdout, '');
});

test('a file that is no model is refused as such', async () => {
  const places = ['--list', list, '--images', goldenFolder, '--calibrations', goldenFolder, '--out', folder];
  const missing = await tempehFlow(['predict', 'coarse', '--coarse-model', 'runs/nowhere', ...places]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /runs\/nowhere: there is no such file or folder; expected a published run’s folder/);
});
