import { patched, workflowInfo } from '@temporalio/workflow';

/** Share of a step's age from one report of its progress to the next. */
const share = 1 / 200;

/**
 * When a step reports its progress to the run that started it: each report costs that one's history five events. Up to a
 * hundred hours whenever it hears of it itself, from then on ever more rarely: the run's history stays bounded, however
 * long a step takes.
 */
export class RareReports {
  #last = 0;

  isDue(): boolean {
    const now = Date.now();
    const age = now - workflowInfo().startTime.getTime();
    // Histories of workers before this have each report.
    if (now - this.#last < age * share && patched('rare-reports')) return false;
    this.#last = now;
    return true;
  }
}
