import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderPredictionJob, FolderStages, FrameFailure } from '../inference/folders/job.js';
import type { PredictionResult } from '../inference/protocol.js';
import { CommandError } from './errors.js';
import { exitCodes, type ExitCode } from './exitCodes.js';
import { PredictionDisplay, resultLine } from './predict/display.js';
import { jobOf, type PredictOptions } from './predict/job.js';
import { predictLocally } from './predict/local.js';
import { writeJson } from './workspace.js';

export interface PredictCommand extends PredictOptions {
  readonly json: boolean;
}

/** Beside the predictions: frames of the last call that could not be predicted, and why. */
const failuresFile = 'failed-frames.json';

/** Predicts the frames of a list. @returns the exit code: 1 where there is no prediction in the end. */
export async function predict(stages: FolderStages, options: PredictCommand): Promise<ExitCode> {
  const { job, notes } = await jobOf(stages, options);
  const display = options.json ? null : new PredictionDisplay();
  if (display !== null) for (const line of [...introduction(job), ...notes]) process.stdout.write(`${line}\n`);
  let result: PredictionResult;
  try {
    result = await predictLocally(job, (event) => display?.show(event));
  } catch (error) {
    throw asCommandError(error);
  } finally {
    display?.end();
  }
  const out = job.outputs.refinement ?? job.outputs.coarse ?? '';
  await noteFailures(out, result.failures);
  if (options.json) process.stdout.write(`${JSON.stringify({ out, ...result }, null, 2)}\n`);
  else process.stdout.write(`${resultLine(result, out)}\n`);
  return result.predicted + result.skipped === 0 && result.failures.length > 0 ? exitCodes.failed : exitCodes.ok;
}

function introduction({ models, template, list }: FolderPredictionJob): string[] {
  const named = Object.entries(models).flatMap(([stage, model]) => {
    if (model === null) return [];
    const from = model.kind === 'file' ? model.path : `${model.run}${model.step === null ? '' : `@${model.step}`}`;
    return [`${stage} model  ${from}`];
  });
  const topology = template.kind === 'file' ? template.path : `of data set ${template.name}`;
  return [...named, `template  ${topology}`, `frames  ${list.to} of ${list.path}`];
}

/** What a command line, not the program or its data, has to be changed for. */
function asCommandError(error: unknown): unknown {
  const names = ['FoldersUnsuitable', 'ImportRefused', 'PublishedCheckpointMismatch'];
  if (!(error instanceof Error) || !names.includes(error.name)) return error;
  return new CommandError(error.message, exitCodes.usage, { cause: error.cause });
}

async function noteFailures(out: string, failures: readonly FrameFailure[]): Promise<void> {
  const file = join(out, failuresFile);
  if (failures.length === 0) return rm(file, { force: true });
  const entries = failures.map(({ id: { subject, sequence, frame }, reason }) => ({
    frame: [subject, sequence, frame],
    reason,
  }));
  writeJson(file, entries);
}
