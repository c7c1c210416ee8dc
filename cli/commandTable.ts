import type { Argv } from 'yargs';
import type { CommandBody, GlobalOptions } from './command.js';

/** A command of which only words and description are known until it is loaded. */
export interface TableEntry {
  /** Its first word. */
  readonly name: string;
  /** Its words and positional arguments, as yargs has them. */
  readonly command: string;
  readonly describe: string;
  /** Imports its file and adds it to a program. */
  readonly load: (program: Argv<GlobalOptions>) => Promise<Argv<GlobalOptions>>;
}

/** All commands, in the order of `--help`. */
export const commands: readonly TableEntry[] = [
  lazily(
    'quickstart',
    'What npm start does: train everything on a miniature, on this machine',
    async () => (await import('./commands/machine/quickstart.js')).command,
  ),
  lazily(
    'start',
    'Start a run, or a step of one by itself',
    async () => (await import('./commands/runs/start.js')).command,
  ),
  lazily(
    'ablate',
    'Train and measure a model without each of its parts, beside the whole',
    async () => (await import('./commands/runs/ablate.js')).command,
  ),
  lazily(
    'train-global',
    'Train the coarse model by the published command’s options',
    async () => (await import('./commands/models/trainPublished.js')).trainGlobal,
  ),
  lazily(
    'train-local',
    'Train the refinement model by the published command’s options',
    async () => (await import('./commands/models/trainPublished.js')).trainLocal,
  ),
  lazily('status <run>', 'Show where a run is', async () => (await import('./commands/runs/status.js')).command),
  lazily('list', 'List runs, the newest first', async () => (await import('./commands/runs/list.js')).command),
  lazily(
    'logs <run> [step]',
    'Print what the trainers and predictors of a run logged, also those whose machine is gone',
    async () => (await import('./commands/runs/logs.js')).command,
  ),
  lazily(
    'resume <run>',
    'Go on with a run that failed, was cancelled or is paused',
    async () => (await import('./commands/runs/resume.js')).command,
  ),
  lazily(
    'retry <run>',
    'Try at once what failed, without waiting for its next attempt',
    async () => (await import('./commands/runs/retry.js')).command,
  ),
  lazily(
    'repair <run>',
    "Make a run's lost or damaged manifest again, from its checkpoints and events",
    async () => (await import('./commands/runs/repair.js')).command,
  ),
  lazily(
    'report <run>',
    'Write the page about a run: curves and attempts, errors, heads that turn; also while it trains',
    async () => (await import('./commands/report.js')).command,
  ),
  lazily(
    'extend <run> <stage> <iterations>',
    'Train a stage further than it was meant to be',
    async () => (await import('./commands/runs/extend.js')).command,
  ),
  lazily(
    'cancel <run>',
    'End a run in an orderly way: what trains saves first',
    async () => (await import('./commands/runs/cancel.js')).command,
  ),
  lazily(
    'pause <run>',
    'Stop a run in an orderly way until it is unpaused',
    async () => (await import('./commands/runs/pause.js')).command,
  ),
  lazily('unpause <run>', 'Go on with a paused run', async () => (await import('./commands/runs/unpause.js')).command),
  lazily(
    'worker',
    'Run a worker in the foreground',
    async () => (await import('./commands/cluster/worker.js')).command,
  ),
  lazily(
    'deployment',
    'Versions of the workers: which there are, and which one gets the tasks',
    async () => (await import('./commands/cluster/deployment.js')).command,
  ),
  lazily(
    'namespace',
    'Prepare a namespace of Temporal for runs',
    async () => (await import('./commands/cluster/namespace.js')).command,
  ),
  lazily(
    'codec',
    'Encryption of what Temporal stores',
    async () => (await import('./commands/cluster/codec.js')).command,
  ),
  lazily('fetch', 'Fetch published data or weights', async () => (await import('./commands/data/fetch.js')).command),
  lazily(
    'dev',
    'Run a Temporal and an S3 server on this machine until Ctrl-C',
    async () => (await import('./commands/machine/dev.js')).command,
  ),
  lazily(
    'doctor',
    'Check what this machine needs, and say how to get what is missing',
    async () => (await import('./commands/machine/doctor.js')).command,
  ),
  lazily(
    'events <run> <folder>',
    'Write the event files of a run into a folder, for TensorBoard or an importer',
    async () => (await import('./commands/runs/events.js')).command,
  ),
  lazily(
    'tensorboard [runs..]',
    'Show the curves, pictures and heads of runs in TensorBoard',
    async () => (await import('./commands/machine/tensorboard.js')).command,
  ),
  lazily(
    'config',
    'Configurations of runs: show one, print the schema',
    async () => (await import('./commands/config.js')).command,
  ),
  lazily(
    'predict',
    'Predict the frames of a list from folders of images and calibrations',
    async () => (await import('./commands/models/predict.js')).command,
  ),
  lazily(
    'evaluate [run]',
    'Measure predictions against scans: folders of them, or the test predictions of a run',
    async () => (await import('./commands/models/evaluate.js')).command,
  ),
  lazily(
    'dataset',
    'Data sets: check one, look at one, convert calibrations of an own rig (docs/own-data.md)',
    async () => (await import('./commands/data/dataset.js')).command,
  ),
  lazily(
    'import-checkpoint <file>',
    'Bring a published checkpoint (.pth), or torchvision’s ResNet-34, into a run',
    async () => (await import('./commands/models/importCheckpoint.js')).command,
  ),
  lazily(
    'export-checkpoint <checkpoint> <file>',
    'Write a checkpoint as the published system does (.pth), for PyTorch',
    async () => (await import('./commands/models/exportCheckpoint.js')).command,
  ),
];

function lazily<Arguments>(command: string, describe: string, body: () => Promise<CommandBody<Arguments>>): TableEntry {
  return {
    name: command.split(' ')[0]!,
    command,
    describe,
    load: async (program) => program.command({ command, describe, ...(await body()) }),
  };
}
