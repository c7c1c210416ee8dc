import { CancellationScope, patched, proxyActivities } from '@temporalio/workflow';
import type { Notice, NoticeKind } from '../../activities/notices/notice.js';
import type { DataActivities } from '../../activities/types.js';
import type { RunStep } from '../../configs/temporal.js';
import { queues } from '../control/activityOptions.js';
import { isStepOfRun } from './whose.js';

/** Notifies the data worker's owner of what happens to a run; of the steps of a full training, the latter alone does. */
export class Notices {
  readonly #sent: Promise<void>[] = [];

  constructor(private readonly run: string) {}

  /** Returns at once: a hook that hangs holds nothing up. */
  tell(kind: NoticeKind, step: RunStep | null, text: string): void {
    // Runs that workers of an earlier version began replay without.
    if (isStepOfRun() || !patched('notices')) return;
    const { notify } = proxyActivities<DataActivities>({
      taskQueue: queues().data,
      startToCloseTimeout: '15 seconds',
      scheduleToCloseTimeout: '40 seconds',
      retry: { maximumAttempts: 2 },
      summary: `notify: ${kind}`,
    });
    const notice: Notice = { kind, run: this.run, step, text, at: new Date().toISOString() };
    // What cannot be sent is in the worker's log.
    this.#sent.push(CancellationScope.nonCancellable(() => notify(notice)).catch(() => undefined));
  }

  /** Returns when the hook has been called, or could not be: some seconds at most. */
  async sent(): Promise<void> {
    await CancellationScope.nonCancellable(() => Promise.all(this.#sent));
  }
}

/** The notice of an end before the time. */
export function endText(run: string, step: RunStep | null, cancelled: boolean, message: string): string {
  const where = step === null ? '' : ` in ${step}`;
  if (cancelled) return `${run} was cancelled${where}. To go on: tempeh-flow resume ${run}`;
  return `${run} failed${where}: ${message}\nOnce that is corrected: tempeh-flow resume ${run}`;
}
