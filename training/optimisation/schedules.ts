import type { ScheduleConfiguration } from '../../configs/schema/training.js';

/** Where the step schedule halves the rate, as shares of all iterations (method 4). */
const halvings = [0.2, 0.4, 0.6, 0.8];

/**
 * The factor on the main parameter group's learning rate; the localiser's rate has no schedule.
 *
 * @param step iterations done before this one, in [0, iterations].
 * @param iterations the stage's last value of the step counter.
 */
export function scheduleFactor(schedule: ScheduleConfiguration, step: number, iterations: number): number {
  const share = Math.min(Math.max(step / iterations, 0), 1);
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return 0.5 ** halvings.filter((at) => share >= at).length;
    case 'cosine':
      return schedule.finalFactor + (1 - schedule.finalFactor) * 0.5 * (1 + Math.cos(Math.PI * share));
    case 'exponential':
      return schedule.finalFactor ** share;
  }
}
