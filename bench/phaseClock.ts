import { countedOperations, observePhases, type PhaseName } from '../tensor/index.js';

/**
 * Where a run's time goes: parts of a prediction, or a step's forward pass, losses on the host, and backward pass, each
 * pass one function of TensorFlow.
 */
export const phaseNames = [
  'load',
  'forward',
  'feature net',
  'sampling',
  'localiser',
  'V2V',
  'head',
  'losses',
  'backward',
  'update',
  'other',
] as const;
export type BenchPhase = (typeof phaseNames)[number];

export interface PhaseFigures {
  readonly seconds: number;
  /** Multiplications and additions of convolutions and matrix products by their definition, in 10⁹. */
  readonly gigaOperations: number;
}

export type Phases = Readonly<Partial<Record<BenchPhase, PhaseFigures>>>;

/** Measures one run: parts that the networks name, and what its caller adds. What is left is `other`. */
export class PhaseClock {
  private readonly figures = new Map<BenchPhase, { seconds: number; gigaOperations: number }>();
  private readonly started = now();
  private begun = this.started;

  constructor() {
    observePhases((name: PhaseName, edge) => {
      if (edge === 'begin') this.begun = now();
      else this.add(name, since(this.begun));
    });
  }

  add(name: BenchPhase, { seconds, gigaOperations }: PhaseFigures): void {
    const sum = this.figures.get(name) ?? { seconds: 0, gigaOperations: 0 };
    sum.seconds += seconds;
    sum.gigaOperations += gigaOperations;
    this.figures.set(name, sum);
  }

  /** The part of the run so far that belongs to no phase yet. */
  rest(): PhaseFigures {
    const total = since(this.started);
    const sum = (of: keyof PhaseFigures): number =>
      [...this.figures.values()].reduce((all, figures) => all + figures[of], 0);
    return {
      seconds: Math.max(0, total.seconds - sum('seconds')),
      gigaOperations: Math.max(0, total.gigaOperations - sum('gigaOperations')),
    };
  }

  /** Ends the run. */
  stop(): { readonly total: PhaseFigures; readonly phases: Phases } {
    const total = since(this.started);
    observePhases(null);
    this.add('other', this.rest());
    return { total, phases: Object.fromEntries(this.figures) };
  }
}

interface Moment {
  readonly milliseconds: number;
  readonly operations: number;
}

const now = (): Moment => ({ milliseconds: performance.now(), operations: countedOperations() });

function since(moment: Moment): PhaseFigures {
  return {
    seconds: (performance.now() - moment.milliseconds) / 1000,
    gigaOperations: (countedOperations() - moment.operations) / 1e9,
  };
}
