import type { MeasureCase } from './cases.js';
import type { Phases } from './phaseClock.js';

/** What one case's process measured. */
export interface CaseFigures extends MeasureCase {
  /** Median of the runs. */
  readonly seconds: number;
  readonly runs: readonly number[];
  readonly warmUpSeconds: number;
  /** Operations of one run, in 10⁹. */
  readonly gigaOperations: number;
  readonly phases: Phases;
  /** Resident memory at its peak, above that of the loaded runtime: parameters and batch are in it. */
  readonly peakBytes: number;
  readonly peakTensorBytes: number;
  /** By how much bfloat16 moves the predicted vertices from where float32 has them: root mean square, mm. Else null. */
  readonly predictionError: number | null;
  /** 10⁹ operations a second of a large matrix product in the same process. */
  readonly machineRate: number;
}

/** How the rewrite is run; `compiled` by torch.compile, with channels last. */
export type PytorchVariant = 'channels-last' | 'contiguous' | 'compiled';

/** What `bench/pytorch/bench.py` prints of the same case. */
export interface PytorchFigures {
  readonly variant: PytorchVariant;
  readonly seconds: number;
  readonly runs: readonly number[];
  readonly peakBytes: number;
  readonly torch: string;
}

export interface BenchResult {
  readonly ours: CaseFigures;
  /** null where it was not asked for. */
  readonly pytorch: PytorchFigures | null;
}
