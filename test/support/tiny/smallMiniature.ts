import { join } from 'node:path';
import { packageRoot } from '../../../configs/packageRoot.js';
import { prepareMiniature } from '../../../miniature/prepare.js';
import { miniatureSettings, type MiniatureSettings } from '../../../miniature/settings.js';

/** Heads of few vertices in thumbnails of four cameras: quick to generate, for what is compared and not looked at. */
export function smallMiniature(changed: Partial<MiniatureSettings> = {}): MiniatureSettings {
  return miniatureSettings('miniature', {
    vertexCount: 150,
    subdivisions: 1,
    sensor: { width: 192, height: 144 },
    supersampling: 1,
    pods: 2,
    portraitView: '01_B',
    subjects: { train: 1, validation: 1, test: 1 },
    sequencesPerSubject: 1,
    framesPerSequence: { train: 2, validation: 1, test: 1 },
    scanPoints: 300,
    textureSize: 32,
    ...changed,
  });
}

/** These data as the published host has them: a folder that is made once for all test files and runs. To change it, copy it. */
export async function packagedMiniature(changed: Partial<MiniatureSettings> = {}): Promise<string> {
  const cache = join(packageRoot, 'build', 'test', '.miniatures');
  return (await prepareMiniature(cache, smallMiniature(changed))).packageDirectory;
}

/** Three frames and few points: for what is fetched, and not trained on. */
export const fewFrames: Partial<MiniatureSettings> = {
  framesPerSequence: { train: 1, validation: 1, test: 2 },
  scanPoints: 100,
};
