import type { TrainingBatchSettings } from '../../../datasets/batches/settings.js';

/** What a training batch depends on: one sample of two views or more, not augmented, with few scan points. */
export function batchSettings(changed: Partial<TrainingBatchSettings['stage']> = {}, seed = 5): TrainingBatchSettings {
  return {
    seed,
    stage: {
      batchSize: 1,
      views: { minimum: 2, random: true },
      augmentation: { enabled: false, scale: [0.9, 1.1], brightnessSigma: 0.33 },
      scanPoints: 50,
      imageResizeFactor: 16,
      ...changed,
    },
  };
}
