import type { EventRecorder } from '../../checkpoints/events/eventLog.js';
import type { LossTerms } from '../losses/trainingLoss.js';

type Split = 'train' | 'validation';

/** Writes a step's or a validation's losses under the published tags (method 4). What was not computed is left out. */
export function logLosses(events: EventRecorder, step: number, split: Split, terms: LossTerms): void {
  const scalars = {
    'Total loss': terms.total,
    'Points loss': terms.points,
    'Points2Surface loss': terms.pointsToSurface,
    'Edge regularizer loss': terms.edges,
    'Points2Surface distance': terms.pointsToSurfaceDistance,
  };
  for (const [name, value] of Object.entries(scalars)) {
    if (!Number.isNaN(value)) events.scalar(step, `${name}/${split}`, value);
  }
}

/** The mean of each term, weighted by the frames that each covers. */
export class MeanLosses {
  private frames = 0;
  private sums = { total: 0, points: 0, pointsToSurface: 0, edges: 0, pointsToSurfaceDistance: 0 };

  add(terms: LossTerms, frames: number): void {
    this.frames += frames;
    for (const name of Object.keys(this.sums) as (keyof LossTerms)[]) this.sums[name] += terms[name] * frames;
  }

  /** NaN throughout if nothing was added. */
  get mean(): LossTerms {
    const mean = (sum: number): number => sum / this.frames;
    const { total, points, pointsToSurface, edges, pointsToSurfaceDistance } = this.sums;
    return {
      total: mean(total),
      points: mean(points),
      pointsToSurface: mean(pointsToSurface),
      edges: mean(edges),
      pointsToSurfaceDistance: mean(pointsToSurfaceDistance),
    };
  }
}
