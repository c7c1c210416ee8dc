import { CancellationScope, condition, patched, workflowInfo } from '@temporalio/workflow';

/** Thrown through a step whose history is to end: it goes on in a new one. */
export class HistoryFull extends Error {
  override readonly name = 'HistoryFull';
}

/**
 * Calls `act` when the server finds a workflow's history long enough (`limit.historyCount.suggestContinueAsNew`, 4,096 events
 * unless its operator has it otherwise; at 51,200 it would end the workflow). Not in histories of workers before this.
 */
export function whenFull(act: () => void): void {
  // One that is cancelled waits for its end: nobody would hear that this wait was cancelled.
  void CancellationScope.nonCancellable(() => condition(() => workflowInfo().continueAsNewSuggested)).then(() => {
    if (patched('continue-as-new')) act();
  });
}
