import type { PendingActivity } from '../../../client/runs/pendingActivities.js';

/** A stage's second attempt, which runs; its first one's trainer was killed. */
export const secondAttempt: PendingActivity = {
  workflowId: 'run/coarse-pretraining',
  activityId: '1',
  type: 'trainStage',
  attempt: 2,
  state: 'running',
  paused: false,
  interruptions: { preemptions: 0, failures: 1 },
  heartbeat: null,
  heartbeatAt: null,
  lastFailure: 'the trainer was ended by SIGKILL',
  lastFailureIsFault: true,
  queue: 'tempeh-gpu',
  waitsSince: null,
  nextAttemptAt: null,
  worker: null,
};
