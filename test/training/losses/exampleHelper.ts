import { threadId, workerData } from 'node:worker_threads';
import { helpTeam } from '../../../training/losses/surface/team.js';

/** What the test's helpers share with it. */
export interface ExampleTeam {
  readonly control: Int32Array;
  /** For each unit of both stages, one after the other: which thread did it, and how often it was done. */
  readonly doneBy: Int32Array;
  readonly times: Int32Array;
  /** Units of the first stage that are done, as each unit of the second found it. */
  readonly before: Int32Array;
  readonly firstDone: Int32Array;
  /** The unit in which a helper fails; −1: none. */
  readonly failing: Int32Array;
  readonly unitsOfFirst: number;
}

/** A unit that takes a millisecond. */
export function exampleUnit(team: ExampleTeam, thread: number): (stage: number, unit: number) => void {
  return (stage, unit) => {
    const until = performance.now() + 1;
    while (performance.now() < until);
    const index = stage * team.unitsOfFirst + unit;
    if (stage === 1) team.before[unit] = Atomics.load(team.firstDone, 0);
    team.doneBy[index] = thread;
    Atomics.add(team.times, index, 1);
    if (thread !== 0 && index === Atomics.load(team.failing, 0)) throw new Error('failed');
    if (stage === 0) Atomics.add(team.firstDone, 0, 1);
  };
}

const team = workerData as ExampleTeam | null;
if (team) helpTeam(team.control, 2, () => exampleUnit(team, threadId));
