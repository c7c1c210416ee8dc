import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ConfigurationError, type ConfigurationProblem } from '../../configs/configurationError.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { trainingStages } from '../../configs/schema/training.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { configurationJsonSchema } from '../../configs/documentation/settings.js';

const famos = await readFile(join(packageRoot, 'configs', 'famos.yaml'), 'utf8');

/** The problems of a configuration that must be refused. */
function problemsOf(text: string, ...overrides: string[]): readonly ConfigurationProblem[] {
  try {
    resolveConfiguration(text, 'run.yaml', overrides);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.problems;
  }
  return assert.fail('the configuration was not refused');
}

function lineOf(text: string, words: string): number {
  return text.slice(0, text.indexOf(words)).split('\n').length;
}

describe('the configuration files of ours', () => {
  test('famos has the paper’s values', async () => {
    const { model, training } = await loadConfiguration('famos');
    assert.equal(training['coarse-finetuning'].iterations, 800_000);
    assert.equal(training['coarse-finetuning'].losses.pointsToSurface, 10);
    assert.equal(training.refinement.edgeRegionWeights.lips, 10);
    assert.equal(model.coarse.gridSide ** 3, 32_768);
    assert.deepEqual(model.coarse.featureNet.layerBlocks, [3, 4, 6, 3]);
  });

  test('the miniature is complete', async () => {
    assert.equal((await loadConfiguration('miniature')).dataset.name, 'miniature');
  });

  test('the workshop lies between: the paper’s grids and losses, widths of its own', async () => {
    const [workshop, paper] = await Promise.all([loadConfiguration('workshop'), loadConfiguration('famos')]);
    assert.equal(workshop.dataset.name, 'workshop');
    const gridOf = ({ gridSide, gridSpacing }: { gridSide: number; gridSpacing: number }) => [gridSide, gridSpacing];
    for (const stage of ['coarse', 'refinement'] as const) {
      assert.deepEqual(gridOf(workshop.model[stage]), gridOf(paper.model[stage]));
    }
    for (const stage of trainingStages) {
      const { losses, schedule, augmentation, randomGridRotations } = workshop.training[stage];
      const of = paper.training[stage];
      assert.deepEqual(
        { losses, schedule, augmentation, randomGridRotations },
        {
          losses: of.losses,
          schedule: of.schedule,
          augmentation: of.augmentation,
          randomGridRotations: of.randomGridRotations,
        },
      );
    }
  });

  test('the same configuration comes out of what is shown of it', async () => {
    const configuration = await loadConfiguration('famos');
    assert.deepEqual(resolveConfiguration(JSON.stringify(configuration), 'shown', []), configuration);
  });
});

describe('--set', () => {
  const resolve = (...overrides: string[]) => resolveConfiguration(famos, 'run.yaml', overrides);

  test('values have the type of the setting', () => {
    const configuration = resolve(
      'training.refinement.learningRate=5e-4',
      'training.refinement.gradientClipping=null',
      'deterministic=false',
      'model.coarse.gridOrigin=[1, 2.5, -3]',
      'model.coarse.gridOrigin.2=7',
      'training.refinement.schedule={kind: cosine, finalFactor: 0.1}',
      'dataset.layout.train.list=0007',
    );
    assert.equal(configuration.training.refinement.learningRate, 5e-4);
    assert.equal(configuration.training.refinement.gradientClipping, null);
    assert.equal(configuration.deterministic, false);
    assert.deepEqual(configuration.model.coarse.gridOrigin, [1, 2.5, 7]);
    assert.deepEqual(configuration.training.refinement.schedule, { kind: 'cosine', finalFactor: 0.1 });
    assert.equal(configuration.dataset.layout.train.list, '0007');
  });

  test('of two values for one setting the last one counts', () => {
    assert.equal(resolve('seed=1', 'seed=2').seed, 2);
  });

  test('another kind of storage takes its own settings only', () => {
    assert.deepEqual(resolve('storage.kind=directory', 'storage.path=/data=1').storage, {
      kind: 'directory',
      path: '/data=1',
    });
  });

  test('an unknown setting is refused with what was meant', () => {
    const [problem] = problemsOf(famos, 'training.refinement.batchsize=1');
    assert.match(problem?.expected ?? '', /Did you mean training\.refinement\.batchSize/);
    assert.match(problemsOf(famos, 'refinement.iterations=1')[0]?.expected ?? '', /training\.refinement\.iterations/);
    assert.equal(problemsOf(famos, '__proto__.polluted=1').length, 1);
    assert.match(problemsOf(famos, 'seed')[0]?.expected ?? '', /path=value/);
  });

  test('a setting of another kind is not meant by its own name', () => {
    const problems = problemsOf(famos, 'model.coarse.trunk={kind: checkpoint, file: x.pth}');
    const [problem] = problems.filter(({ setting }) => setting === 'model.coarse.trunk.file');
    assert.match(problem?.expected ?? '', /there is no such setting\.(?! Did you mean file)/);
  });

  test('an impossible value names the option that set it', () => {
    const [problem] = problemsOf(famos, 'seed=1', 'seed=-3');
    assert.deepEqual(problem, {
      where: '--set seed=-3',
      setting: 'seed',
      found: '-3',
      expected: 'expected a number of at least 0',
    });
  });
});

describe('mistakes in a file', () => {
  test('line, setting, found and expected, all at once', () => {
    const text = famos
      .replace('seed: 0', 'seed: many')
      .replace('  region: us-east-1', '  regoin: us-east-1')
      .replace('kind: bundles', 'kind: bundle')
      .replace('keepLast: 3', 'keepLast: 1');
    const problems = problemsOf(text);
    assert.deepEqual(
      problems.map(({ where, setting }) => `${where} ${setting}`).sort(),
      [
        `run.yaml:${lineOf(text, 'seed: many')} seed`,
        `run.yaml:${lineOf(text, 'regoin')} storage.regoin`,
        `run.yaml:${lineOf(text, 'kind: bundle')} dataset.source.kind`,
        `run.yaml:${lineOf(text, 'keepLast')} checkpoints.keepLast`,
      ].sort(),
    );
    const of = (setting: string) => problems.find((problem) => problem.setting === setting);
    assert.equal(of('seed')?.found, '"many"');
    assert.match(of('storage.regoin')?.expected ?? '', /Did you mean region\?/);
    assert.match(of('dataset.source.kind')?.expected ?? '', /bundles, directory/);
    assert.match(of('checkpoints.keepLast')?.expected ?? '', /at least 2/);
  });

  test('a missing setting points at its group', () => {
    const text = famos.replace('  bucket: set-your-bucket\n', '');
    const [problem] = problemsOf(text);
    assert.equal(problem?.where, `run.yaml:${lineOf(text, 'storage:')}`);
    assert.equal(problem?.setting, 'storage.bucket');
  });

  test('settings that contradict each other name the one to change', () => {
    const of = (override: string) => problemsOf(famos, override)[0];
    assert.equal(of('model.coarse.gridSide=24')?.setting, 'model.coarse.v2v.pooledLevels');
    assert.match(of('training.coarse-finetuning.iterations=300000')?.expected ?? '', /must be larger/);
    assert.match(of('training.coarse-pretraining.batchSize=1')?.expected ?? '', /two values/);
    assert.match(of('training.refinement.imageResizeFactor=6')?.expected ?? '', /multiple/);
    const unpooled = of('model.refinement.v2v.encoderChannels=[64, 128, 32]');
    assert.equal(unpooled?.setting, 'model.refinement.v2v.encoderChannels.2');
    assert.match(of('model.refinement.featureNet.stemChannels=8')?.expected ?? '', /make them equal/);
  });

  test('text that is no YAML names the line', () => {
    assert.match(problemsOf('seed: 0\nstorage: {kind: s3\n')[0]?.where ?? '', /^run\.yaml:[23]$/);
    assert.match(problemsOf('- seed')[0]?.expected ?? '', /expected settings/);
  });

  test('a password in an address is refused, and not repeated', () => {
    const [problem] = problemsOf(famos, 'storage.endpoint=https://me:hunter2@host');
    assert.match(problem?.expected ?? '', /credentials into the worker/);
    const inFile = famos.replace('https://download.is', 'https://me:hunter2@download.is');
    assert.doesNotMatch(JSON.stringify(problemsOf(inFile)), /hunter2/);
  });

  test('what is no address is a problem like others', () => {
    const [problem] = problemsOf(famos, 'storage.endpoint=nonsense');
    assert.equal(problem?.setting, 'storage.endpoint');
    assert.match(problem.expected, /an address, such as https/);
  });

  test('an unknown precision is refused, with those that there are', () => {
    const [problem] = problemsOf(famos, 'precision=float16');
    assert.equal(problem?.setting, 'precision');
    assert.match(problem.expected, /float32.*tensorfloat32.*bfloat16/);
  });

  test('a file that is not there says what to give', async () => {
    await assert.rejects(loadConfiguration('/nowhere/run.yaml'), /\/nowhere\/run\.yaml: there is no such file/);
  });
});

test('the JSON Schema knows every group, for editors', () => {
  assert.deepEqual(Object.keys(configurationJsonSchema().properties ?? {}).slice(0, 3), [
    'seed',
    'deterministic',
    'precision',
  ]);
});
