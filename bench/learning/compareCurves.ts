import type { ParityCurves } from './parity.js';
import type { LossCurve } from './parityFiles.js';

/** Mean losses over some steps, and how far runs part there, as shares of the loss. */
export interface ParityBlock {
  readonly stage: ParityCurves['stage'];
  /** The first step, counted from 1, and the last. */
  readonly steps: readonly [number, number];
  readonly ours: number;
  readonly pytorch: number;
  /** The largest difference of two PyTorch runs. */
  readonly amongPytorch: number;
  /** Distance of ours from the nearest PyTorch run. */
  readonly oursFromPytorch: number;
}

const mostBlocks = 10;
/** Before rounding has grown, runs differ by less than anybody cares for. */
const negligible = 2e-4;

/** Curves in ten parts each. A part of the coarse stage has one kind of loss. */
export function compareCurves(curves: readonly ParityCurves[]): ParityBlock[] {
  return curves.flatMap(({ stage, ours, pytorch }) => {
    const blocks = Math.min(mostBlocks, ours.length);
    return Array.from({ length: blocks }, (_, block): ParityBlock => {
      const from = Math.round((block * ours.length) / blocks);
      const to = Math.round(((block + 1) * ours.length) / blocks);
      const meanOf = (curve: LossCurve): number =>
        curve.slice(from, to).reduce((sum, [total]) => sum + total, 0) / (to - from);
      const others = pytorch.map(meanOf);
      const mean = others.reduce((sum, value) => sum + value, 0) / others.length;
      const own = meanOf(ours);
      return {
        stage,
        steps: [from + 1, to],
        ours: own,
        pytorch: mean,
        amongPytorch: (Math.max(...others) - Math.min(...others)) / mean,
        oursFromPytorch: Math.min(...others.map((value) => Math.abs(own - value))) / mean,
      };
    });
  });
}

/** Every step of every run as CSV: ours and PyTorch's with the views as they come by term, then the totals of the other orders. */
export function curvesTable(curves: readonly ParityCurves[]): string {
  const terms = ['total', 'points', 'point_to_surface', 'edges'];
  const others = (curves[0]?.pytorch.length ?? 1) - 1;
  const heads = [
    ...['stage', 'step'],
    ...['ours', 'pytorch'].flatMap((who) => terms.map((term) => `${who}_${term}`)),
    ...Array.from({ length: others }, (_, i) => `pytorch_${i + 2}_total`),
  ];
  const rows = curves.flatMap(({ stage, ours, pytorch: [plain = [], ...permuted] }) =>
    ours.map((losses, step) => {
      const totals = permuted.map((curve) => curve[step]?.[0] ?? NaN);
      const figures = [...losses, ...(plain[step] ?? []), ...totals].map((value) =>
        String(Number(value.toPrecision(6))),
      );
      return [stage, String(step + 1), ...figures];
    }),
  );
  return [heads, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

/**
 * Parts in which our curve is not one that PyTorch could have: farther from every run of PyTorch's than these have been
 * from one another up to there, in a part or before.
 */
export function partsApart(found: readonly ParityBlock[]): ParityBlock[] {
  return found.filter(({ stage, steps, oursFromPytorch }) => {
    const before = found.filter((other) => other.stage === stage && other.steps[0] <= steps[0]);
    return oursFromPytorch > Math.max(negligible, ...before.map(({ amongPytorch }) => amongPytorch));
  });
}
