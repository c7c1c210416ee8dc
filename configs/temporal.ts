/**
 * Names that workflows, workers and the command line share. Nothing that differs from call to call: workflow code imports
 * this file.
 */
export interface TaskQueues {
  /** Workflows, questions. */
  readonly data: string;
  /** Shards of evaluation: one a data worker at a time. */
  readonly evaluate: string;
  /** Training stages. */
  readonly gpu: string;
  /** Shards of predictions. */
  readonly predict: string;
}

const names: TaskQueues = {
  data: 'tempeh-data',
  evaluate: 'tempeh-evaluate',
  gpu: 'tempeh-gpu',
  predict: 'tempeh-predict',
};

/** The queues of those who share a prefix: `heads-` makes `heads-tempeh-data`. */
export function queuesNamed(prefix: string): TaskQueues {
  const { data, evaluate, gpu, predict } = names;
  return { data: prefix + data, evaluate: prefix + evaluate, gpu: prefix + gpu, predict: prefix + predict };
}

/** The queues of a workflow, by the one that it runs on itself. */
export function queuesBeside(data: string): TaskQueues {
  return queuesNamed(data.endsWith(names.data) ? data.slice(0, -names.data.length) : '');
}

/** Names of the search attributes of our workflows; they are registered with the server and never change. */
export const searchAttributes = {
  stage: 'TempehStage',
  step: 'TempehStep',
  run: 'TempehRun',
  dataset: 'TempehDataset',
  state: 'TempehState',
} as const;

/** Values of `TempehState`. */
const runStates = ['running', 'paused', 'done', 'failed', 'cancelled'] as const;
/** How a run stands, as its search attribute says. */
export type RunState = (typeof runStates)[number];

/** States of a run, in plain words; `ended` is one that was terminated or ran out of time. */
export const listedStates = ['running', 'paused', 'completed', 'failed', 'cancelled', 'ended'] as const;
/** How a run stands, as lists of runs say. */
export type ListedState = (typeof listedStates)[number];

/** What the namespace must register them as. Stage: a step of the run (below); step: the last training step reported. */
export const searchAttributeTypes = {
  TempehStage: 'Keyword',
  TempehStep: 'Int',
  TempehRun: 'Keyword',
  TempehDataset: 'Keyword',
  TempehState: 'Keyword',
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
/** A step of a run. */
export type RunStep = (typeof runSteps)[number];

/** The workflow types: full training (its id is the run's name), and each step's (`RUN/STEP`). */
export const workflowTypes = {
  fullTraining: 'fullTraining',
  dataset: 'dataset',
  'coarse-pretraining': 'coarsePretraining',
  'coarse-finetuning': 'coarseFinetuning',
  predictions: 'predictions',
  refinement: 'refinement',
  evaluation: 'evaluation',
  /** Published data by themselves; its id is the fetch's name. */
  fetchPublished: 'fetchPublished',
  /** Frames of folders by themselves; its id is the prediction's name. */
  predictFolders: 'predictFolders',
  /** Runs that are compared (repeats with other seeds, ablations); its id is the series' name, its runs are its children. */
  series: 'series',
} as const satisfies Record<RunStep | 'fullTraining' | 'fetchPublished' | 'predictFolders' | 'series', string>;

/** Of every workflow of ours. `stageProgress` is what a training activity tells its workflow now and then. */
export const messages = {
  progress: 'progress',
  /** Where the runs of a series are. */
  seriesProgress: 'seriesProgress',
  pause: 'pause',
  unpause: 'unpause',
  /** What `unpause` was called: histories have it, and clients of before send it. */
  resume: 'resume',
  /** A stage is to be trained further than it was meant to be. */
  extend: 'extend',
  stageProgress: 'stageProgress',
  /** What activities that are about to be stopped have gone through, by their ids: one that waits cannot say it itself. */
  attempts: 'attempts',
  /** A worker that would do the run's work, and cannot. */
  workerOut: 'workerOut',
} as const;

/**
 * Memo of workflows. `iterations`: by stage, what the run's input was changed to since it was started. `tellsState`: true
 * where the namespace was seen to know `TempehState` when it was started.
 */
export const memos = { iterations: 'iterations', tellsState: 'tellsState' } as const;

/** Types of activity failures that need a person: not retried, and their message says what to do. */
export const userFaults = ['ConfigurationInvalid', 'CredentialsRefused', 'DataUnusable', 'TrainingDiverged'] as const;
/** One of the failure types that need a person. */
export type UserFault = (typeof userFaults)[number];

/** Types of activity failures that are no faults: stopped in an orderly way, or given back to whoever is free. */
export const orderlyEnds = ['Stopped', 'GivenBack'] as const;
/** One of the failure types that are no faults. */
export type OrderlyEnd = (typeof orderlyEnds)[number];

/** Types of failures that the dataset workflow itself acts on. */
export const datasetFailures = {
  /** A fetched volume is gone or has another size: the bundle is fetched again. */
  volumeMissing: 'VolumeMissing',
} as const;

/** Of the attempts and the warnings of one step, the last that are kept: a heartbeat and a history carry them. */
export const keptOfStep = { attempts: 200, warnings: 20 } as const;

/** How often work was begun anew: what {@link sumOfInterruptions} knows of it. */
interface Counted<Attempt> {
  readonly preemptions: number;
  readonly failures: number;
  readonly attempts?: readonly Attempt[];
  readonly warnings?: readonly string[];
}

/** Interruptions of a step, the oldest first, together: of attempts and warnings as many as are kept. */
export function sumOfInterruptions<Attempt>(all: readonly Counted<Attempt>[]): Counted<Attempt> {
  const attempts = all.flatMap((each) => each.attempts ?? []).slice(-keptOfStep.attempts);
  const warnings = [...new Set(all.flatMap((each) => each.warnings ?? []))].slice(-keptOfStep.warnings);
  return {
    preemptions: all.reduce((sum, { preemptions }) => sum + preemptions, 0),
    failures: all.reduce((sum, { failures }) => sum + failures, 0),
    ...(attempts.length > 0 && { attempts }),
    ...(warnings.length > 0 && { warnings }),
  };
}
