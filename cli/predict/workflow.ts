import { hash } from 'node:crypto';
import { basename } from 'node:path';
import type { FolderPredictionJob } from '../../inference/folders/job.js';
import { startFolderPrediction } from '../../client/folderPredictions.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { started } from '../runs/watching/started.js';
import { followAsJson } from '../runs/watching/watch.js';
import { printJson } from '../terminal/print.js';

export interface PredictWorkflowOptions extends ConnectionOptions {
  readonly name: string | undefined;
  readonly follow: boolean;
  readonly json: boolean;
  /** Frames that cannot be predicted are no failure of the command, as long as others can. */
  readonly allowFailures: boolean;
}

/**
 * Predicts as a workflow on the GPU workers. The same command goes on where an earlier one has ended.
 *
 * @returns the exit code: with `follow` that of its end.
 * @throws CommandError; RunError `already-running`
 */
export async function predictAsWorkflow(
  job: FolderPredictionJob,
  { name, follow, json, allowFailures, ...connection }: PredictWorkflowOptions,
): Promise<ExitCode> {
  const run = name ?? nameFor(job);
  requireRunName(run, '--name');
  return withTemporal(connection, async (connected) => {
    await startFolderPrediction(connected.client, { run, job });
    if (!json) return started(connected, run, { follow, allowFailures });
    if (follow) return followAsJson(connected, run, { allowFailures });
    printJson({ run, page: connected.pageOf(run) }, 0);
    return exitCodes.ok;
  });
}

/** Of the folder that gets the predictions: two workflows at once must not fill the same one. */
function nameFor({ outputs }: FolderPredictionJob): string {
  const out = outputs.refinement ?? outputs.coarse ?? '';
  const readable = basename(out)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 60);
  return `predict-${readable}-${hash('sha256', out).slice(0, 8)}`;
}
