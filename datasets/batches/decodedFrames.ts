import { colourOfByte, toColours } from '../images/floatImage.js';
import type { Sample, SampleView } from '../types.js';

/** Images that were not resized are 8-bit values still: a quarter of the memory. */
type KeptView = Pick<SampleView, 'camera'> & { readonly image: Float32Array | Uint8Array };
type KeptSample = Omit<Sample, 'views'> & { readonly views: readonly KeptView[] };

/**
 * Decoded samples of a data set that fits in memory whole: each of its frames is read and decoded once. Of a larger one
 * nothing is kept, for what comes again after an epoch would have been displaced by then.
 */
export class DecodedFrames {
  private readonly kept = new Map<string, KeptSample>();

  /** @param limitBytes of memory, of each loader thread. */
  constructor(private readonly limitBytes: number) {}

  get(name: string): Sample | null {
    const sample = this.kept.get(name);
    return sample ? { ...sample, views: sample.views.map(expand) } : null;
  }

  /** @param frames how many there are like this one. */
  keep(name: string, sample: Sample, frames: number): void {
    const kept = { ...sample, views: sample.views.map(compact) };
    if (memoryOf(kept) * frames <= this.limitBytes) this.kept.set(name, kept);
  }
}

function compact({ camera, image }: SampleView): KeptView {
  const bytes = new Uint8Array(image.length);
  for (let i = 0; i < image.length; i++) {
    const value = image[i]!;
    const byte = (value * 255 + 0.5) | 0;
    if (colourOfByte[byte] !== value) return { camera, image };
    bytes[i] = byte;
  }
  return { camera, image: bytes };
}

function expand({ camera, image }: KeptView): SampleView {
  return { camera, image: image instanceof Float32Array ? image : toColours(image) };
}

function memoryOf({ views, vertices, scanPoints, coarseVertices }: KeptSample): number {
  const images = views.reduce((sum, { image }) => sum + image.byteLength, 0);
  return images + scanPoints.byteLength + (vertices?.byteLength ?? 0) + (coarseVertices?.byteLength ?? 0);
}
