import type { MiniatureSettings } from '../../datasets/miniature/settings.js';

/** Thumbnails of few heads from four cameras, for runs whose weights are compared, not used. */
export const smallMiniature: Partial<MiniatureSettings> = {
  vertexCount: 150,
  subdivisions: 1,
  sensor: { width: 192, height: 144 },
  supersampling: 1,
  pods: 2,
  portraitView: '01_B',
  subjects: { train: 6, validation: 1, test: 3 },
  sequencesPerSubject: 1,
  framesPerSequence: { train: 5, validation: 2, test: 5 },
  textureSize: 32,
  scanPoints: 300,
};
