import type { ErrorSummary, Evaluation, FrameEvaluation } from '../types.js';
import type { Measurement, Summary } from './types.js';

/** A measurement in the shape of a run's `evaluation.json`: less of each, for reports and workflow results. */
export function asEvaluation(measurement: Measurement): Evaluation {
  const { of, frames, methods, farPoints, regions, sequences, perFrame, leftOut } = measurement;
  const perSequence = new Map<string, Evaluation['perSequence'][number]>();
  for (const { subject, sequence, frames: count, method } of sequences) {
    const name = JSON.stringify([subject, sequence]);
    const known = perSequence.get(name)?.pointToSurface;
    const members = perFrame.filter(
      (row) => row.method === method && row.subject === subject && row.sequence === sequence,
    );
    const mean = members.reduce((sum, row) => sum + row.pointToSurface.mean, 0) / members.length;
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
    perFrame: meansByFrame(perFrame),
    perSequence: [...perSequence.values()],
    leftOut: leftOut.map(({ id, reason }) => ({ ...id, reason })),
  };
}

function short({ count, median, mean, standardDeviation, percentiles }: Summary): ErrorSummary {
  return { count, median, mean, standardDeviation, percentile90: percentiles['90'] ?? NaN };
}

function meansByFrame(rows: Measurement['perFrame']): FrameEvaluation[] {
  const frames = new Map<string, FrameEvaluation>();
  for (const { subject, sequence, frame, method, pointToSurface } of rows) {
    const name = JSON.stringify([subject, sequence, frame]);
    const means = { ...frames.get(name)?.pointToSurface, [method]: pointToSurface.mean };
    frames.set(name, { subject, sequence, frame, pointToSurface: means });
  }
  return [...frames.values()];
}
