/** ImageNet's statistics, by channel (spec section 1). */
const mean = [0.485, 0.456, 0.406] as const;
const deviation = [0.229, 0.224, 0.225] as const;

/** Writes ImageNet-normalised colours into `target` from `offset` on. `pixels`: RGB in [0, 1], `[H, W, 3]`. */
export function writeNormalised(pixels: Float32Array, target: Float32Array, offset: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    target[offset + i] = (pixels[i]! - mean[0]) / deviation[0];
    target[offset + i + 1] = (pixels[i + 1]! - mean[1]) / deviation[1];
    target[offset + i + 2] = (pixels[i + 2]! - mean[2]) / deviation[2];
  }
}
