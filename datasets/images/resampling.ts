/** One axis of a linear resampling: output i is the sum of `weights` × input over `[starts[i], starts[i] + taps)`. */
export interface AxisResampling {
  readonly outputs: number;
  readonly taps: number;
  readonly starts: Int32Array;
  /** `[outputs, taps]` */
  readonly weights: Float32Array;
}

const remembered = new Map<string, AxisResampling>();

/**
 * Anti-aliased resizing of one axis (method 6): a Gaussian blur with σ = (factor − 1)/2, truncated at 4 σ and
 * mirrored at the border without repeating the edge pixel, then bilinear interpolation at pixel centres. Both are linear:
 * they are merged into one set of weights an output pixel.
 */
export function axisResampling(inputs: number, outputs: number): AxisResampling {
  const key = `${inputs}>${outputs}`;
  let resampling = remembered.get(key);
  if (resampling === undefined) {
    resampling = makeAxisResampling(inputs, outputs);
    if (remembered.size > 1000) remembered.clear();
    remembered.set(key, resampling);
  }
  return resampling;
}

function makeAxisResampling(inputs: number, outputs: number): AxisResampling {
  const factor = inputs / outputs;
  const blur = gaussian(Math.max(0, (factor - 1) / 2));
  const radius = (blur.length - 1) / 2;
  const rows: Map<number, number>[] = [];
  for (let i = 0; i < outputs; i++) {
    const position = (i + 0.5) * factor - 0.5;
    const below = Math.floor(position);
    const fraction = position - below;
    const row = new Map<number, number>();
    for (const [tap, share] of [
      [below, 1 - fraction],
      [below + 1, fraction],
    ] as const) {
      if (share === 0) continue;
      const centre = mirrored(tap, inputs);
      for (let k = -radius; k <= radius; k++) {
        const source = mirrored(centre + k, inputs);
        row.set(source, (row.get(source) ?? 0) + share * blur[k + radius]!);
      }
    }
    rows.push(row);
  }
  const spans = rows.map((row) => [Math.min(...row.keys()), Math.max(...row.keys())] as const);
  const taps = Math.max(...spans.map(([first, last]) => last - first + 1));
  const starts = new Int32Array(outputs);
  const weights = new Float32Array(outputs * taps);
  rows.forEach((row, i) => {
    const start = Math.min(spans[i]![0], inputs - taps);
    starts[i] = start;
    for (const [source, weight] of row) weights[i * taps + source - start] = weight;
  });
  return { outputs, taps, starts, weights };
}

function gaussian(sigma: number): number[] {
  const radius = Math.floor(4 * sigma + 0.5);
  const values = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    sigma === 0 ? 1 : Math.exp((-0.5 * (i - radius) ** 2) / sigma ** 2),
  );
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Index reflected into [0, length) about the edge pixels: −1 becomes 1. */
function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const inPeriod = ((index % period) + period) % period;
  return inPeriod < length ? inPeriod : period - inPeriod;
}
