import type { RunDescription } from '../../../client/runs/describeRun.js';

/** Why a run ended before its time, and how to go on; empty where it did not. */
export function failureText({ run, status, failure }: Pick<RunDescription, 'run' | 'status' | 'failure'>): string {
  if (failure === null) return '';
  return status === 'FAILED' ? `${failure}\nOnce that is mended: tempeh-flow resume ${run}` : failure;
}
