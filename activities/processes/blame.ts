import type { ApplicationFailure } from '@temporalio/common';
import type { TrainerFault } from '../../training/process/protocol.js';
import type { Device } from '../devices.js';
import { backOff, passingFault } from '../failures.js';
import { diskObstacle, mostRefused, type Fitness, type Obstacle } from '../fitness.js';
import type { Attempts } from './attempts.js';

/** How a process ended: what it said, or what became of it. */
export interface BlamedEnd {
  /** null where it said nothing. */
  readonly fault: TrainerFault | null;
  readonly message: string;
}

export interface Blame {
  readonly fitness: Fitness | undefined;
  readonly attempts: Attempts;
  readonly device: Device | null;
  /** On the worker's disk. */
  readonly directory: string;
  /** What keeps this worker from the run; absent for what is no run. */
  readonly runObstacle?: Obstacle | undefined;
  /** The store took this worker's credentials, or an earlier attempt's, before. */
  readonly worked: boolean;
  /** Keeps a warning with the run, and in its log. */
  readonly warn: (text: string) => void;
}

/**
 * Whether an attempt's end is the fault of its worker alone (its disk, its device, its credentials where others wait for
 * the task): that worker is taken out, and another is asked.
 *
 * @returns what the attempt then fails with; null where the run is at fault, or nobody knows.
 */
export async function blameWorker({ fault, message }: BlamedEnd, blame: Blame): Promise<ApplicationFailure | null> {
  const { fitness, attempts, device, directory, warn } = blame;
  if (fitness === undefined) return null;
  // Another worker waits for it; longer where it has been at fault itself, as on a disk that all share.
  const again = attempts.unfitBefore.length + 1;
  const blamed = (reason: string): ApplicationFailure => {
    warn(attempts.unfit(reason));
    const said = reason === message ? message : `${message}: ${reason}`;
    return passingFault('WorkerUnfit', `${said} Its worker was taken out, and another is asked.`, backOff(again));
  };
  if (fault === 'worker') {
    fitness.takeOut(message, () => diskObstacle(directory));
    return blamed(message);
  }
  if (fault === 'credentials' && !blame.worked) {
    const refused = attempts.unfitBefore;
    if (refused.length + 1 >= mostRefused || !(await fitness.hasOthers(refused))) return null;
    const { runObstacle } = blame;
    fitness.takeOut(message, async () => {
      const reason = (await runObstacle?.()) ?? null;
      // Where nobody else is left, this worker's verdict ends the run.
      return reason !== null && (await fitness.hasOthers(refused)) ? reason : null;
    });
    return blamed(message);
  }
  const mayBeDevice = fault === null || fault === 'infrastructure';
  if (!mayBeDevice || device === null || device.index === null) return null;
  const problem = await fitness.deviceProblem(device);
  return problem === null ? null : blamed(problem);
}
