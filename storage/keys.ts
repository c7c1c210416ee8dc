/** Where everything lies in an object store: the one place that knows. */
export const keys = {
  dataset: (name: string) => `datasets/${name}`,
  datasetIndex: (name: string) => `datasets/${name}/dataset.json`,
  /** Published files that are no frames (weights), by the name of their download. */
  published: (name: string) => `published/${name}`,
  run: (run: string) => `runs/${run}`,
  runConfiguration: (run: string) => `runs/${run}/configuration.json`,
  /** There while somebody writes what the run starts from, and starts it. */
  starting: (run: string) => `runs/${run}/starting.json`,
  /** Which runs a series has. */
  series: (series: string) => `runs/${series}/series.json`,
  /** Configurations that the run had before, in their order, numbered from 1: what changed when. */
  replacedConfigurations: (run: string) => `runs/${run}/configurations`,
  replacedConfiguration: (run: string, number: number) =>
    `runs/${run}/configurations/${String(number).padStart(4, '0')}.json`,
  /** The only object of a stage that changes; `STAGE` is `coarse` (pre-training and fine-tuning share it) or `refinement`. */
  manifest: (run: string, stage: string) => `runs/${run}/${stage}/manifest.json`,
  /** What stood in a manifest's place and could not be read, numbered from 1. */
  unreadableManifest: (run: string, stage: string, number: number) =>
    `runs/${run}/${stage}/manifest.unreadable-${number}.json`,
  /** Weights that the coarse model's trunk starts with, if any were imported. */
  trunk: (run: string) => `runs/${run}/coarse/trunk.safetensors`,
  /** Head template and vertex masks that were uploaded with the run, if any were. */
  headFile: (run: string, name: 'template' | 'vertexMasks') =>
    `runs/${run}/head/${name === 'template' ? 'template.obj' : 'vertex_masks.npz'}`,
  checkpoints: (run: string, stage: string) => `runs/${run}/${stage}/checkpoints`,
  /** Prefix of a checkpoint's parts. */
  checkpoint: (run: string, stage: string, step: number, attempt: string) =>
    `runs/${run}/${stage}/checkpoints/${String(step).padStart(8, '0')}-${attempt}`,
  events: (run: string, stage: string) => `runs/${run}/${stage}/events`,
  /** A segment of the event log. TensorBoard takes a folder's files in the order of their names. */
  eventSegment: (run: string, stage: string, firstStep: number, attempt: string) =>
    `runs/${run}/${stage}/events/events.out.tfevents.${String(firstStep).padStart(10, '0')}.${attempt}`,
  /** Coarse predictions that refinement trains on: `…/S/Q/Q.N.ply`, metres. */
  predictions: (run: string) => `runs/${run}/predictions/coarse`,
  predictionShards: (run: string) => `runs/${run}/predictions/shards/`,
  predictionShard: (run: string, shard: number) =>
    `runs/${run}/predictions/shards/${String(shard).padStart(5, '0')}.json`,
  /** Predictions of the test set, by stage: `…/S/Q/Q.N.ply`, metres. */
  testPredictions: (run: string, stage: 'coarse' | 'refinement') => `runs/${run}/evaluation/${stage}`,
  evaluation: (run: string) => `runs/${run}/evaluation/evaluation.json`,
  /** What evaluation measured of shards of the test set; `TOKEN` says of which predictions, in shards of which size. */
  evaluationShards: (run: string) => `runs/${run}/evaluation/shards/`,
  evaluationShard: (run: string, token: string, shard: number) =>
    `runs/${run}/evaluation/shards/${token}/${String(shard).padStart(5, '0')}.json.gz`,
  /** What the processes of a run print. */
  logs: (run: string) => `runs/${run}/logs`,
  /** A part of what one attempt at a step has printed, numbered from 1. */
  logPart: (run: string, step: string, attempt: string, number: number) =>
    `runs/${run}/logs/${step}/${attempt}/${String(number).padStart(4, '0')}.log`,
  report: (run: string) => `runs/${run}/evaluation/report.html`,
} as const;

/** What a frame's files are named by: subject S, sequence Q, zero-padded number N. */
export interface FrameName {
  readonly subject: string;
  readonly sequence: string;
  readonly frame: string;
}

/** Path of a frame's file below a root, `S/Q/Q.N.EXTENSION`: in the store, and in FaMoS's layout on a disk (method 1). */
export function framePath({ subject, sequence, frame }: FrameName, extension: string): string {
  return `${subject}/${sequence}/${sequence}.${frame}.${extension}`;
}

/** Path of a frame's mesh below a prediction or registration root. */
export function frameMeshPath(id: FrameName): string {
  return framePath(id, 'ply');
}

/**
 * Where the localiser put the voxel grid of a test frame, below `keys.testPredictions(run, 'coarse')`: JSON
 * `{ "centre": [x, y, z], "rotation": [nine numbers, row-major], "scales": [sx, sy, sz] }`, the centre (mean of the
 * transformed grid's positions) in mm. The evaluation puts the mean head there.
 */
export function frameLocaliserPath(id: FrameName): string {
  return framePath(id, 'localiser.json');
}
