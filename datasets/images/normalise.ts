/** ImageNet's statistics of colours in [0, 1], by channel (method 1). */
export const mean = [0.485, 0.456, 0.406] as const;
/** Standard deviation of each colour channel over ImageNet, of values in [0, 1]. */
export const deviation = [0.229, 0.224, 0.225] as const;

/** ImageNet-normalises colours in [0, 1], in place. `[…, 3]` */
export function normalise(colours: Float32Array): void {
  const [red, green, blue] = mean;
  const [ofRed, ofGreen, ofBlue] = deviation;
  for (let i = 0; i < colours.length; i += 3) {
    colours[i] = (colours[i]! - red) / ofRed;
    colours[i + 1] = (colours[i + 1]! - green) / ofGreen;
    colours[i + 2] = (colours[i + 2]! - blue) / ofBlue;
  }
}
