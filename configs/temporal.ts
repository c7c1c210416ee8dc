/** Names that workflows, workers and the command line share. Constants only: workflow code imports this file. */
export const taskQueues = { data: 'tempeh-data', gpu: 'tempeh-gpu' } as const;

export const searchAttributes = {
  stage: 'TempehStage',
  step: 'TempehStep',
  run: 'TempehRun',
  dataset: 'TempehDataset',
} as const;

/** The steps of full training, in their order; each is a child workflow `RUN/STEP`. */
export const runSteps = [
  'dataset',
  'coarse-pretraining',
  'coarse-finetuning',
  'predictions',
  'refinement',
  'evaluation',
] as const;
export type RunStep = (typeof runSteps)[number];
