import { writeFailedFrames } from '../../datasets/failedFrames.js';
import type { FolderPredictionJob, FolderStages } from '../../inference/folders/job.js';
import { checkModels } from '../../inference/folders/checkModels.js';
import type { PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { modelsTold } from '../store/modelsTold.js';
import { harmless } from '../terminal/harmless.js';
import { PredictionDisplay, resultLine } from './display.js';
import { jobOf, type PredictOptions } from './job.js';
import { predictLocally } from './local.js';
import { predictAsWorkflow, type PredictWorkflowOptions } from './workflow.js';
import { print, printJson } from '../terminal/print.js';

export interface PredictCommand extends PredictOptions, PredictWorkflowOptions {
  readonly workflow: boolean;
  readonly local: boolean;
}

/** Predicts the frames of a list. @returns the exit code: 1 where a frame has no prediction in the end, if that is not allowed. */
export async function predict(stages: FolderStages, options: PredictCommand): Promise<ExitCode> {
  const { workflow, local, name, follow, json, allowFailures } = options;
  if (workflow && local) throw new CommandError('Either --local or --workflow: not both.', exitCodes.usage);
  if (!workflow && (follow || name !== undefined)) {
    throw new CommandError(`${follow ? '--follow' : '--name'} is of a workflow: add --workflow.`, exitCodes.usage);
  }
  const { job, notes } = await jobOf(stages, options);
  await modelsTold(checkModels(job));
  if (!json) for (const line of [...introduction(job), ...notes]) print(line);
  return workflow ? predictAsWorkflow(job, options) : predictHere(job, json, allowFailures);
}

async function predictHere(job: FolderPredictionJob, json: boolean, allowFailures: boolean): Promise<ExitCode> {
  const display = json ? null : new PredictionDisplay();
  let result: PredictionResult;
  try {
    const show = harmless((event: PredictorEvent) => display?.show(event));
    result = await modelsTold(predictLocally(job, show));
  } finally {
    display?.end();
  }
  const out = job.outputs.refinement ?? job.outputs.coarse ?? '';
  await writeFailedFrames(out, result.failures);
  if (json) printJson({ out, ...result });
  else print(resultLine(result, out));
  const none = result.predicted + result.skipped === 0;
  return result.failures.length > 0 && (none || !allowFailures) ? exitCodes.failed : exitCodes.ok;
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
