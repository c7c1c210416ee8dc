import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const workflowsPath = fileURLToPath(new URL('../workflows/index.js', import.meta.url));
let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The workflows' code as a data worker runs it in its sandbox; bundled once a process (about a second). */
export function workflowBundle(logger: Logger): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath, logger });
  return bundle;
}
