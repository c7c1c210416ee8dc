import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ConfigurationError } from '../../configs/configurationError.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import type { RunConfiguration } from '../../configs/schema/run.js';

type Options = Record<string, unknown>;
const file = join(packageRoot, 'test', 'configs', 'publishedOptions.json');
/** The published options with their defaults. */
const defaults = JSON.parse(await readFile(file, 'utf8')) as Record<'coarse' | 'refinement', Options>;

/** In groups, as a run of the published system stores them. */
function grouped(model: 'coarse' | 'refinement', changes: Options = {}): string {
  const result: Record<string, Options> = { base: {}, data: {}, train: {}, model: {} };
  for (const [name, value] of Object.entries({ ...defaults[model], ...changes })) {
    const isData = /directory|fname|image|calibration|thread/.test(name);
    const isTraining = /weight|frequency|learning|lr_|batch|iterations|gradient/.test(name);
    const isModel = /^(global|local|feature|descriptor|norm)/.test(name);
    result[isData ? 'data' : isTraining ? 'train' : isModel ? 'model' : 'base']![name] = value;
  }
  return JSON.stringify(result, null, 1);
}

const resolve = (model: 'coarse' | 'refinement', changes: Options = {}, ...overrides: string[]): RunConfiguration =>
  resolveConfiguration(grouped(model, changes), 'config.json', overrides);

function refused(model: 'coarse' | 'refinement', changes: Options): string {
  try {
    resolve(model, changes);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.message;
  }
  return assert.fail('it was not refused');
}

describe('a published config.json', () => {
  for (const model of ['coarse', 'refinement'] as const) {
    test(`${model}: the published defaults are the paper's`, async () => {
      const paper = await loadConfiguration('famos');
      const published = resolve(model);
      const { 'coarse-pretraining': pretraining, 'coarse-finetuning': finetuning, refinement } = published.training;
      const often = [pretraining, finetuning, refinement].map(({ checkpointEvery }) => checkpointEvery);
      assert.deepEqual(often, model === 'coarse' ? [50_000, 50_000, 2500] : [5000, 5000, 5000]);
      // How often is saved, and how many threads decode, is all in which they differ from famos.yaml.
      for (const stage of Object.keys(paper.training) as (keyof typeof paper.training)[]) {
        published.training[stage].checkpointEvery = paper.training[stage].checkpointEvery;
      }
      assert.equal(published.loader.threads, 16);
      published.loader.threads = paper.loader.threads;
      assert.deepEqual(published, paper);
    });
  }

  test('what was changed comes to the settings that it is about', () => {
    const { training, model, seed } = resolve('coarse', {
      num_iterations: 1000,
      batch_size: 4,
      learning_rate: 2e-3,
      lr_type: 'cosine',
      gradient_max_norm: 0.5,
      minimum_sample_views: 5,
      global_voxel_inc: 20,
      descriptor_dim: 16,
      seed: 7,
      point_mask_weights: { w_point_eye_region: 0.5 },
    });
    const pretraining = training['coarse-pretraining'];
    assert.equal(pretraining.iterations, 1000);
    assert.equal(pretraining.pointRegionWeights.eyeRegion, 0.5);
    assert.equal(training['coarse-finetuning'].pointRegionWeights.eyeRegion, 0);
    for (const stage of [pretraining, training['coarse-finetuning']]) {
      const { batchSize, learningRate, schedule, gradientClipping, views } = stage;
      assert.deepEqual([batchSize, learningRate, schedule.kind, gradientClipping], [4, 2e-3, 'cosine', 0.5]);
      assert.equal(views.minimum, 5);
    }
    assert.equal(training.refinement.batchSize, 2);
    assert.equal(model.coarse.gridSpacing, 20);
    assert.equal(model.refinement.featureNet.featureChannels, 16);
    assert.equal(seed, 7);
  });

  test('a published config.json: with losses on surfaces it is of fine-tuning', () => {
    const { training } = resolve('coarse', { num_iterations: 900_000, weight_points2surface: 5 });
    assert.equal(training['coarse-finetuning'].iterations, 900_000);
    assert.equal(training['coarse-finetuning'].losses.pointsToSurface, 5);
    assert.equal(training['coarse-pretraining'].iterations, 300_000);
  });

  test('data that lies elsewhere is taken from where all of it is', () => {
    const moved = Object.fromEntries(
      Object.entries(defaults.coarse)
        .filter(([, value]) => typeof value === 'string' && value.startsWith('./data/'))
        .map(([name, value]) => [name, String(value).replace('./data', '/mnt/famos')]),
    );
    const { dataset } = resolve('coarse', moved);
    assert.deepEqual(dataset.source, { kind: 'directory', path: '/mnt/famos' });
    assert.equal(dataset.layout.train.images, 'training_data/downsampled_images_4');
    assert.equal(dataset.layout.test, null, 'frames that training is validated on are no test set');
  });

  test('absolute and relative paths may stand side by side', () => {
    const { dataset } = resolve('coarse', {
      ...Object.fromEntries(Object.entries(defaults.coarse).filter(([name]) => /directory|fname/.test(name))),
      scan_directory: join(process.cwd(), 'elsewhere/scans'),
    });
    assert.deepEqual(dataset.source, { kind: 'directory', path: process.cwd() });
    assert.equal(dataset.layout.train.scans, 'elsewhere/scans');
    assert.equal(dataset.layout.train.images, 'data/training_data/downsampled_images_4');
  });

  test('numbers that were given on the command line, and so are stored as text, are numbers', () => {
    const { seed, loader, training } = resolve('coarse', {
      seed: '3',
      thread_num: '5',
      scan_vertex_count: '20000',
      gpu: '1',
    });
    assert.deepEqual([seed, loader.threads, training['coarse-pretraining'].scanPoints], [3, 5, 20_000]);
  });

  test('colour images are colour views', () => {
    assert.equal(resolve('coarse', { input_image_type: 'color_images' }).viewKind, 'colour');
    assert.equal(resolve('coarse', { input_image_type: 'stereo_images' }).viewKind, 'stereo');
    assert.match(refused('coarse', { input_image_type: 'thermal' }), /input_image_type.*found "thermal".*stereo/s);
  });

  test('--set changes what a published config.json says', () => {
    const { storage, training } = resolve('refinement', {}, 'storage.bucket=mine', 'training.refinement.batchSize=1');
    assert.ok(storage.kind === 's3' && storage.bucket === 'mine');
    assert.equal(training.refinement.batchSize, 1);
  });

  test('unknown options are reported with line and likely name, and the file is accepted', () => {
    const notes: string[] = [];
    const changes = { lerning_rate: 1, local_voxel_dim: 8, gpu: 2, resume_path: './runs/x.pth' };
    const text = grouped('coarse', changes);
    resolveConfiguration(text, 'config.json', [], (note) => notes.push(note));
    const line = text.slice(0, text.indexOf('"lerning_rate"')).split('\n').length;
    const told = notes.join('\n');
    assert.match(told, new RegExp(`config\\.json:${line}: lerning_rate: no option .*Did you mean learning_rate\\?`));
    assert.match(told, /local_voxel_dim: .*one of the refinement model's/);
    assert.match(told, /resume_path: has no counterpart here: tempeh-flow import-checkpoint/);
    assert.match(told, /gpu: .*CUDA_VISIBLE_DEVICES/);
    assert.equal(notes.length, 4);
  });

  test('values that cannot be are named with line and reason, all at once', () => {
    const text = grouped('coarse', { norm: 'in', global_arch: 'v2v' });
    const message = refused('coarse', { norm: 'in', global_arch: 'v2v' });
    const line = text.slice(0, text.indexOf('"norm"')).split('\n').length;
    assert.match(message, new RegExp(`config\\.json:${line}: norm: found "in"; expected "bn": the one that`));
    assert.match(message, /global_arch: found "v2v"; expected "v2v2"/);
    assert.equal(message.split('\n').length, 2);
  });

  test('a value of the wrong kind is reported by the name of the option', () => {
    const message = refused('coarse', { batch_size: 'two', lr_type: 'wavy' });
    assert.match(message, /config\.json:\d+: batch_size \(training\.coarse-pretraining\.batchSize\): found "two"/);
    assert.match(message, /lr_type \(training\.coarse-pretraining\.schedule\.kind\).*cosine/);
  });
});
