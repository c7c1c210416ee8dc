import type { MiniatureSettings } from '../../../miniature/settings.js';

/** Heads of few vertices in thumbnails of four cameras: quick to generate, for what is compared and not looked at. */
export const thumbnails = {
  vertexCount: 150,
  subdivisions: 1,
  sensor: { width: 192, height: 144 },
  supersampling: 1,
  pods: 2,
  portraitView: '01_B',
  sequencesPerSubject: 1,
  textureSize: 32,
} as const satisfies Partial<MiniatureSettings>;
