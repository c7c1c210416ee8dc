import type { Sample } from '../types.js';

/**
 * Decoded samples of a data set that fits in memory whole: each of its frames is read and decoded once. Of a larger one
 * nothing is kept, for what comes again after an epoch would have been displaced by then.
 */
export class DecodedFrames {
  private readonly kept = new Map<string, Sample>();

  /** @param limitBytes of memory, of each loader thread. */
  constructor(private readonly limitBytes: number) {}

  get(name: string): Sample | null {
    return this.kept.get(name) ?? null;
  }

  /** @param frames how many there are like this one. */
  keep(name: string, sample: Sample, frames: number): void {
    if (memoryOf(sample) * frames <= this.limitBytes) this.kept.set(name, sample);
  }
}

function memoryOf({ views, vertices, scanPoints, coarseVertices }: Sample): number {
  const images = views.reduce((sum, { image }) => sum + image.byteLength, 0);
  return images + scanPoints.byteLength + (vertices?.byteLength ?? 0) + (coarseVertices?.byteLength ?? 0);
}
