import type { Connected } from '../../connection.js';
import { exitCodes, type ExitCode } from '../../exitCodes.js';
import { print, tell } from '../../terminal/print.js';
import { followToEnd, type WatchOptions } from './watch.js';

/** Says that a workflow was started, and where it is seen; watches it if that is wanted. @returns the exit code. */
export async function started(
  connected: Connected,
  run: string,
  { workflowId = run, follow, ...watching }: WatchOptions & { readonly workflowId?: string; readonly follow: boolean },
): Promise<ExitCode> {
  const page = connected.pageOf(workflowId);
  tell({ run, page });
  print(`Started ${run}.${page === null ? '' : `\n  ${page}`}`);
  if (follow) return followToEnd(connected, run, watching);
  print(`  tempeh-flow status ${run} --follow`);
  return exitCodes.ok;
}
