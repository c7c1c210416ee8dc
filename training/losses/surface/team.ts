/**
 * How threads that share memory divide a piece of work, whose units are taken by whoever is free. The work has stages: a
 * unit is begun when all of the stages before are done. The thread that gives out the work takes part in it, so that
 * nothing is waited for but units that are under way; a helper that has not started yet is not missed.
 */

/** Words of the memory that the team shares; behind them, `stageWords` for each stage. */
const word = {
  /** Counts the pieces of work: helpers sleep until it changes. */
  generation: 0,
  /** One of `states`. */
  state: 1,
  /** Helpers that may be looking at the work. */
  active: 2,
  /** 1: a helper failed in a unit. */
  failed: 3,
} as const;
const states = { closed: 0, open: 1, ended: 2 } as const;
const stageWords = { units: 0, next: 1, done: 2 } as const;
const ofStage = (stage: number): number => 4 + 3 * stage;

/**
 * Seconds that a unit of another thread may take, though it takes milliseconds. Counted one by one: a machine may stand still.
 */
const patience = 60;
const spins = 2000;

export function teamControl(stages: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * ofStage(stages)));
}

/** Does one unit. */
export type Unit = (stage: number, unit: number) => void;

/**
 * Gives out a piece of work, takes part in it, and returns when it is done.
 *
 * @param units of each stage.
 * @returns false if a helper failed: the work is to be done again by `workAlone`, which shows the error.
 */
export function leadTeam(control: Int32Array, units: readonly number[], work: Unit): boolean {
  units.forEach((count, stage) => {
    control[ofStage(stage) + stageWords.units] = count;
    control[ofStage(stage) + stageWords.next] = 0;
    control[ofStage(stage) + stageWords.done] = 0;
  });
  Atomics.store(control, word.failed, 0);
  Atomics.store(control, word.state, states.open);
  Atomics.add(control, word.generation, 1);
  Atomics.notify(control, word.generation);
  try {
    for (let stage = 0; stage < units.length; stage++) {
      takeUnits(control, stage, work);
      waitFor(control, ofStage(stage) + stageWords.done, units[stage]!, patience);
    }
  } finally {
    Atomics.store(control, word.state, states.closed);
    waitFor(control, word.active, 0, patience);
  }
  return Atomics.load(control, word.failed) === 0;
}

/** The same without helpers. */
export function workAlone(units: readonly number[], work: Unit): void {
  units.forEach((count, stage) => {
    for (let unit = 0; unit < count; unit++) work(stage, unit);
  });
}

/**
 * What a helper does until the team ends: sleeps, and takes part in what there is.
 *
 * @param unitOf is asked for each piece of work.
 */
export function helpTeam(control: Int32Array, stages: number, unitOf: () => Unit): void {
  for (let seen = 0; ;) {
    Atomics.wait(control, word.generation, seen);
    seen = Atomics.load(control, word.generation);
    Atomics.add(control, word.active, 1);
    const state = Atomics.load(control, word.state);
    if (state === states.open) {
      const work = unitOf();
      for (let stage = 0; stage < stages; stage++) {
        takeUnits(control, stage, guarded(control, work));
        if (stage + 1 < stages) {
          const at = ofStage(stage);
          waitFor(control, at + stageWords.done, Atomics.load(control, at + stageWords.units), Infinity);
        }
      }
    }
    if (Atomics.sub(control, word.active, 1) === 1) Atomics.notify(control, word.active);
    if (state === states.ended) return;
  }
}

/** Helpers return. */
export function endTeam(control: Int32Array): void {
  Atomics.store(control, word.state, states.ended);
  Atomics.add(control, word.generation, 1);
  Atomics.notify(control, word.generation);
}

function takeUnits(control: Int32Array, stage: number, work: Unit): void {
  const at = ofStage(stage);
  const units = Atomics.load(control, at + stageWords.units);
  for (;;) {
    const unit = Atomics.add(control, at + stageWords.next, 1);
    if (unit >= units) return;
    try {
      work(stage, unit);
    } finally {
      if (Atomics.add(control, at + stageWords.done, 1) + 1 === units) {
        Atomics.notify(control, at + stageWords.done);
      }
    }
  }
}

function guarded(control: Int32Array, work: Unit): Unit {
  return (stage, unit) => {
    try {
      work(stage, unit);
    } catch {
      Atomics.store(control, word.failed, 1);
    }
  };
}

/** @throws Error when it has not come about after so many seconds. */
function waitFor(control: Int32Array, at: number, expected: number, seconds: number): void {
  for (let spin = 0; spin < spins; spin++) if (Atomics.load(control, at) === expected) return;
  for (let waited = 0; waited < seconds;) {
    const found = Atomics.load(control, at);
    if (found === expected) return;
    if (Atomics.wait(control, at, found, 1000) === 'timed-out') waited++;
  }
  throw new Error(
    `losses: the threads have not come to the end of their work in ${seconds} s (word ${at} is ` +
      `${Atomics.load(control, at)}; expected ${expected}). One of them has ended; start the trainer again.`,
  );
}
