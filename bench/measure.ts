/** Measures one case (argument: its JSON) in this process and prints its figures as one JSON line. */
import { prepareTensorFlow } from '../workers/prepareTensorFlow.js';
import type { MeasureCase } from './cases.js';
import type { CaseFigures } from './figures.js';
import type { BenchPhase, PhaseFigures } from './phaseClock.js';
import { residentBytes, residentPeakBytes, resetResidentPeak } from './processMemory.js';

const measured = JSON.parse(process.argv[2] ?? '') as MeasureCase;
prepareTensorFlow(measured);
const { resetPeak, tensorMemory, withActivations } = await import('../tensor/index.js');
const { machineRate } = await import('./machineRate.js');
const { phaseNames } = await import('./phaseClock.js');
const { prepareRun } = await import('./prepareRun.js');
const runtimeBytes = residentBytes();
const { run, predict } = await prepareRun(measured);
resetResidentPeak();
resetPeak();
const warmUp = await run();
const repeats = measured.repeats ?? Math.max(1, Math.min(10, Math.floor(20 / warmUp.total.seconds)));
const runs: (typeof warmUp)[] = [];
for (let i = 0; i < repeats; i++) runs.push(await run());
const peakBytes = residentPeakBytes() - runtimeBytes;
const { peakBytes: peakTensorBytes } = tensorMemory();

/** Root mean square over vertices of what the precision moves them by, mm. */
function predictionError(predict: () => Float32Array): number {
  const [found, exact] = [predict(), withActivations('float32', predict)];
  const squares = found.reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0);
  return Math.sqrt(squares / (found.length / 3));
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
const phases: Partial<Record<BenchPhase, PhaseFigures>> = {};
for (const name of phaseNames) {
  if (runs[0]!.phases[name] === undefined) continue;
  phases[name] = {
    seconds: median(runs.map((each) => each.phases[name]?.seconds ?? 0)),
    gigaOperations: runs[0]!.phases[name].gigaOperations,
  };
}
const figures: CaseFigures = {
  ...measured,
  seconds: median(runs.map(({ total }) => total.seconds)),
  runs: runs.map(({ total }) => total.seconds),
  warmUpSeconds: warmUp.total.seconds,
  gigaOperations: runs[0]!.total.gigaOperations,
  phases,
  peakBytes,
  peakTensorBytes,
  predictionError: predict === null || measured.precision !== 'bfloat16' ? null : predictionError(predict),
  machineRate: machineRate(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
