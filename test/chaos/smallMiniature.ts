import type { MiniatureSettings } from '../../miniature/settings.js';
import { thumbnails } from '../support/tiny/thumbnails.js';

/** Thumbnails of few heads from four cameras, for runs whose weights are compared, not used. */
export const smallMiniature: Partial<MiniatureSettings> = {
  ...thumbnails,
  subjects: { train: 6, validation: 1, test: 3 },
  framesPerSequence: { train: 5, validation: 2, test: 5 },
  scanPoints: 300,
};
