import type { ErrorSummary, Evaluation, FrameEvaluation } from '../types.js';
import type { Measurement, Summary } from './types.js';

/**
 * A measurement in the shape of a run's `evaluation.json`: less of each, for reports and workflow results.
 *
 * @param perFrame where the measurement has no rows of its frames.
 */
export function asEvaluation(
  measurement: Measurement,
  perFrame: readonly FrameEvaluation[] = meansByFrame(measurement.perFrame),
): Evaluation {
  const { of, frames, methods, farPoints, regions, sequences, leftOut } = measurement;
  const framesOf = new Map<string, FrameEvaluation[]>();
  for (const frame of perFrame) {
    const name = JSON.stringify([frame.subject, frame.sequence]);
    const known = framesOf.get(name);
    if (known) known.push(frame);
    else framesOf.set(name, [frame]);
  }
  const perSequence = new Map<string, Evaluation['perSequence'][number]>();
  for (const { subject, sequence, frames: count, method } of sequences) {
    const name = JSON.stringify([subject, sequence]);
    const known = perSequence.get(name)?.pointToSurface;
    const means = (framesOf.get(name) ?? []).flatMap(({ pointToSurface }) => pointToSurface[method] ?? []);
    const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
    perSequence.set(name, { subject, sequence, frames: count, pointToSurface: { ...known, [method]: mean } });
  }
  return {
    version: 1,
    run: of,
    frames,
    subjects: [...new Set(perFrame.map(({ subject }) => subject))],
    methods: methods.map(({ method, pointToSurface, vertices, cumulative, aligned, parts, acceleration }) => ({
      method,
      pointToSurface: short(pointToSurface),
      pointToSurfaceQuantiles: Array.from({ length: 20 }, (_, i) => cumulative[5 * i + 4] ?? NaN),
      vertices: vertices === null ? null : short(vertices),
      aligned:
        aligned === null ? null : { pointToSurface: short(aligned.pointToSurface), vertices: short(aligned.vertices) },
      parts,
      acceleration,
    })),
    farPoints,
    regions: regions.map(({ region, method, pointToSurface }) => ({
      region,
      method,
      pointToSurface: short(pointToSurface),
    })),
    perFrame,
    perSequence: [...perSequence.values()],
    leftOut: leftOut.map(({ id, reason }) => ({ ...id, reason })),
  };
}

function short({ count, median, mean, standardDeviation, percentiles }: Summary): ErrorSummary {
  return { count, median, mean, standardDeviation, percentile90: percentiles['90'] ?? NaN };
}

/** The mean error of each frame by method. */
export function meansByFrame(rows: Measurement['perFrame']): FrameEvaluation[] {
  const frames = new Map<string, FrameEvaluation>();
  for (const { subject, sequence, frame, method, pointToSurface } of rows) {
    const name = JSON.stringify([subject, sequence, frame]);
    const means = { ...frames.get(name)?.pointToSurface, [method]: pointToSurface.mean };
    frames.set(name, { subject, sequence, frame, pointToSurface: means });
  }
  return [...frames.values()];
}
