import { loadConfiguration } from '../../configs/load.js';
import type { StageConfiguration } from '../../configs/schema/training.js';
import { coarseGuess } from './coarseGuess.js';
import { overfit } from './overfit.js';
import { generateFolder, openBatchesOf, twoFrames } from './twoFrames.js';

/** How near a stage comes to two frames that it sees in every step. */
export interface OverfitFigures {
  readonly stage: 'coarse' | 'refinement';
  readonly steps: number;
  readonly seconds: number;
  /** Mean distances of vertices, mm. */
  readonly before: number;
  readonly after: number;
  /** What the latter is to be below, mm. */
  readonly limit: number;
}

/** Refinement starts so far from the registrations along each axis, mm. */
const guessedWithin = 3;

const learnt = {
  coarse: { stage: 'coarse-pretraining', steps: 1200, limit: 0.3 },
  refinement: { stage: 'refinement', steps: 500, limit: 0.1 },
} as const;

/** Two frames of the miniature, learnt by heart by each stage's network. */
export async function overfitMiniature(report: (text: string) => void, signal: AbortSignal): Promise<OverfitFigures[]> {
  const loaded = await loadConfiguration('miniature');
  const data = await generateFolder(twoFrames);
  try {
    const figures: OverfitFigures[] = [];
    for (const name of ['coarse', 'refinement'] as const) {
      const { stage, steps, limit } = learnt[name];
      const settings = byHeart(loaded.training[stage], steps);
      const configuration = { ...loaded, training: { ...loaded.training, [stage]: settings } };
      const batches = await openBatchesOf(configuration, stage, data.source(configuration), signal);
      try {
        const { template, regions } = batches;
        const given = await batches.batch(0);
        const coarseVertices = name === 'coarse' ? null : coarseGuess(given, guessedWithin);
        const batch = { ...given, coarseVertices };
        const begun = performance.now();
        const onStep = (step: number): void => {
          signal.throwIfAborted();
          if (step % 25 === 0) report(`${name}: step ${step} of ${steps}`);
        };
        const { before, after } = await overfit({ configuration, stage, settings, template, regions, batch, onStep });
        figures.push({ stage: name, steps, seconds: (performance.now() - begun) / 1000, before, after, limit });
      } finally {
        await batches.close();
      }
    }
    return figures;
  } finally {
    await data.remove();
  }
}

/** The registration alone, and nothing that changes from step to step but the rate, which falls to next to nothing. */
function byHeart(settings: StageConfiguration, iterations: number): StageConfiguration {
  return {
    ...settings,
    iterations,
    weightDecay: 0,
    schedule: { kind: 'cosine', finalFactor: 0.003 },
    losses: { ...settings.losses, points: 1, pointsToSurface: 0, edges: 0 },
    views: { ...settings.views, random: false },
    augmentation: { ...settings.augmentation, enabled: false },
    randomGridRotations: false,
  };
}
