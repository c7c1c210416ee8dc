import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ActivityHeartbeat } from '../../activities/types.js';
import { stoppedFailure } from '../../activities/failures.js';
import type { TaskBudget } from './taskBudget.js';

type TrainingHeartbeat = Extract<ActivityHeartbeat, { kind: 'training' }>;

/**
 * Gives a task back that came from one queue while another's was taken: it is tried again at once, by whoever is free, and
 * counts as no failure.
 */
export function giveBack(budget: TaskBudget): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      execute: async (input, next) => {
        const end = budget.begin();
        if (end === null) {
          const { activityType } = context.info;
          const before = context.info.heartbeatDetails as Partial<TrainingHeartbeat> | undefined;
          const kind = activityType === 'trainStage' ? 'training' : 'prediction';
          context.heartbeat({
            kind,
            progress: null,
            message: null,
            ...before,
            preemptions: before?.preemptions ?? 0,
            givenBack: (before?.givenBack ?? 0) + 1,
          });
          const why = budget.paused === null ? 'Every device of this worker is at work' : 'This worker takes no tasks';
          throw stoppedFailure(`${why}: given back.`, 'GivenBack');
        }
        try {
          return await next(input);
        } finally {
          end();
        }
      },
    },
  });
}
