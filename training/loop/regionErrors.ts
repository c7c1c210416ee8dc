import { regionNames, type VertexRegions } from '../../datasets/vertexRegions.js';

/** The mean distance of predicted vertices to the registrations', by region of the template, mm. */
export class RegionErrors {
  private readonly sums = new Float64Array(regionNames.length);
  private frames = 0;

  constructor(private readonly regions: VertexRegions) {}

  /** @param prediction `[B, L, 3]` mm. @param registrations `[B, L, 3]` mm. */
  add(prediction: Float32Array, registrations: Float32Array, batch: number): void {
    const vertices = prediction.length / 3 / batch;
    for (let frame = 0; frame < batch; frame++) {
      const first = frame * vertices;
      regionNames.forEach((name, i) => {
        this.sums[i]! += meanDistance(prediction, registrations, this.regions[name], first);
      });
    }
    this.frames += batch;
  }

  /** By region; empty if nothing was added. */
  get means(): [string, number][] {
    if (this.frames === 0) return [];
    return regionNames.map((name, i) => [name, this.sums[i]! / this.frames]);
  }
}

function meanDistance(a: Float32Array, b: Float32Array, region: ArrayLike<number>, first: number): number {
  let sum = 0;
  for (let i = 0; i < region.length; i++) {
    const at = 3 * (first + region[i]!);
    sum += Math.hypot(a[at]! - b[at]!, a[at + 1]! - b[at + 1]!, a[at + 2]! - b[at + 2]!);
  }
  return sum / Math.max(1, region.length);
}
