import { isAbsolute } from 'node:path';
import type { z } from 'zod';
import type { DatasetConfiguration } from './dataset.js';
import type { coarseModelSchema, refinementModelSchema, V2VConfiguration } from './model.js';
import type { stagesSchema } from './training.js';

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

interface Checked {
  readonly model: {
    readonly coarse: z.infer<typeof coarseModelSchema>;
    readonly refinement: z.infer<typeof refinementModelSchema>;
  };
  readonly training: z.infer<typeof stagesSchema>;
  readonly dataset: Pick<DatasetConfiguration, 'storedResizeFactor' | 'source'>;
}

function v2vProblems(path: (string | number)[], v2v: V2VConfiguration, gridSide: number): Problem[] {
  const problems: Problem[] = [];
  if (v2v.pooledLevels > v2v.encoderChannels.length) {
    problems.push({
      path: [...path, 'pooledLevels'],
      message: `is ${v2v.pooledLevels}, but there are only ${v2v.encoderChannels.length} levels (encoderChannels)`,
    });
  }
  for (let level = v2v.pooledLevels; level < v2v.encoderChannels.length; level++) {
    const entering = level === 0 ? v2v.baseChannels : v2v.encoderChannels[level - 1];
    if (v2v.encoderChannels[level] === entering) continue;
    problems.push({
      path: [...path, 'encoderChannels', level],
      message: `is ${v2v.encoderChannels[level]}, but level ${level} (from 0) is not pooled, and ${entering} channels enter it: it must have as many`,
    });
  }
  const halvings = 2 ** v2v.pooledLevels;
  if (gridSide % halvings !== 0) {
    problems.push({
      path: [...path, 'pooledLevels'],
      message: `a grid of ${gridSide} voxels a side cannot be halved ${v2v.pooledLevels} times: its side must be a multiple of ${halvings}`,
    });
  }
  return problems;
}

/** Mistakes that only show across fields, each with the path of the setting to change. */
export function crossFieldProblems(configuration: Checked): Problem[] {
  const { model, training, dataset } = configuration;
  const problems = [
    ...v2vProblems(['model', 'coarse', 'v2v'], model.coarse.v2v, model.coarse.gridSide),
    ...v2vProblems(['model', 'refinement', 'v2v'], model.refinement.v2v, model.refinement.gridSide),
  ];
  const localiserHalvings = 2 ** model.coarse.localiser.levels;
  if (model.coarse.localiser.enabled && model.coarse.gridSide % localiserHalvings !== 0) {
    problems.push({
      path: ['model', 'coarse', 'localiser', 'levels'],
      message: `a grid of ${model.coarse.gridSide} voxels a side cannot be halved ${model.coarse.localiser.levels} times`,
    });
  }
  const pretraining = training['coarse-pretraining'];
  const finetuning = training['coarse-finetuning'];
  if (finetuning.iterations <= pretraining.iterations) {
    problems.push({
      path: ['training', 'coarse-finetuning', 'iterations'],
      message: `is ${finetuning.iterations}, but counts pre-training's ${pretraining.iterations} steps too: it must be larger`,
    });
  }
  const deepestVoxels = (model.coarse.gridSide / 2 ** model.coarse.v2v.pooledLevels) ** 3;
  for (const name of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    const stage = training[name];
    if (name !== 'refinement' && deepestVoxels * stage.batchSize < 2) {
      problems.push({
        path: ['training', name, 'batchSize'],
        message:
          'is 1, and the deepest level of the V2V network has one voxel: batch normalisation needs two values (use a batch of 2)',
      });
    }
    if (stage.imageResizeFactor % dataset.storedResizeFactor !== 0) {
      problems.push({
        path: ['training', name, 'imageResizeFactor'],
        message: `is ${stage.imageResizeFactor}, but the images are stored at 1/${dataset.storedResizeFactor}: it must be a multiple of that`,
      });
    }
    if (stage.views.random && stage.views.minimum < 2) {
      problems.push({
        path: ['training', name, 'views', 'minimum'],
        message: 'must be 2 or more: the variance over views divides by V − 1',
      });
    }
    const hasLocaliser = name !== 'refinement' && model.coarse.localiser.enabled;
    const parts = hasLocaliser ? ['featureNet', 'localiser', 'v2v'] : ['featureNet', 'v2v'];
    const frozen: readonly string[] = stage.frozen;
    if (parts.every((part) => frozen.includes(part))) {
      problems.push({
        path: ['training', name, 'frozen'],
        message: `holds ${parts.join(', ')}: nothing is left to train`,
      });
    }
    if (!hasLocaliser && frozen.includes('localiser')) {
      const model = name === 'refinement' ? 'the refinement model' : 'the coarse model (localiser.enabled: false)';
      problems.push({
        path: ['training', name, 'frozen'],
        message: `holds localiser, which ${model} has not`,
      });
    }
    if (stage.augmentation.scale[0] > stage.augmentation.scale[1]) {
      problems.push({
        path: ['training', name, 'augmentation', 'scale'],
        message: 'the first number must not be larger than the second',
      });
    }
  }
  const { source } = dataset;
  if (source.kind === 'directory' && source.pack === false && !isAbsolute(source.path)) {
    problems.push({
      path: ['dataset', 'source', 'path'],
      message: `is ${source.path}, but workers on any machine read the folder under its path (pack: false): expected an absolute one`,
    });
  }
  if (JSON.stringify(model.coarse.featureNet) !== JSON.stringify(model.refinement.featureNet)) {
    problems.push({
      path: ['model', 'refinement', 'featureNet'],
      message:
        'differs from model.coarse.featureNet, but refinement starts from the trained coarse feature net: make them equal',
    });
  }
  return problems;
}
