import { attribute, execute, executeOne, float32, integers, view } from '../engine/engine.js';
import { concatenated, sliced } from '../kernels/batches.js';
import { product } from '../kernels/matrices.js';
import { tf, type Tensor } from '../tensorflow.js';
import { tidy } from '../engine/tidy.js';

/**
 * Convolution of many small cubes by large kernels through a discrete Fourier transform: the same sums in another order.
 *
 * A kernel of side K = 2P + 1 over a cube of side D reaches past its border by P on each side, so circles of
 * M = D + P (M ≥ 2P + 1) hold a row, its zeros and no overlap. The first two axes are transformed; the third is folded
 * into the channels, where the kernel is a banded matrix, so that each of the F = (M² + 1)/2 frequencies of a real signal
 * is one well-shaped matrix product:
 *
 *   ŷ_f = x̂_f · Ŵ_f,   x̂ = T x,   y = S ŷ.
 *
 * For K = 7 and D = 8 that is a tenth of the direct sum's multiplications, more than half of which meet zeros.
 * All three steps are real and linear, so the gradients are their transposes.
 *
 * Legend: N cubes, n cubes of a chunk, D side, K kernel side, I O channels, F frequencies (real and imaginary parts
 * apart, hence 2F).
 */

/** What one chunk's spectrum may take: it should stay in a processor's cache. */
const spectrumBytes = 8 * 2 ** 20;

interface Plan {
  readonly frequencies: number;
  /** T: cosines, then sines, of each frequency. `[2F, D²]` */
  readonly analysis: Tensor;
  /** S: the inverse, of a real signal. `[D², 2F]` */
  readonly synthesis: Tensor;
  /** Spectrum of a kernel's first two axes, conjugate (a convolution in the sense of networks correlates). `[2F, K²]` */
  readonly ofKernel: Tensor;
  /** Which tap of the third axis leads from one place to another: 0 or 1. `[D·D, K]` */
  readonly band: Tensor;
}

const plans = new Map<string, Plan>();

function planOf(side: number, kernelSide: number): Plan {
  const key = `${side}:${kernelSide}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = makePlan(side, kernelSide);
  plans.set(key, plan);
  return plan;
}

function makePlan(d: number, k: number): Plan {
  const padding = (k - 1) / 2;
  const circle = Math.max(d + padding, k);
  // Of each pair of conjugate frequencies the first. An even circle would have more that are their own conjugates.
  const m = circle % 2 === 0 ? circle + 1 : circle;
  const pairs: [number, number][] = [];
  for (let f = 0; f < m * m; f++) {
    const [a, b] = [Math.floor(f / m), f % m];
    if (f <= ((m - a) % m) * m + ((m - b) % m)) pairs.push([a, b]);
  }
  const count = pairs.length;
  const analysis = new Float32Array(2 * count * d * d);
  const synthesis = new Float32Array(2 * count * d * d);
  const ofKernel = new Float32Array(2 * count * k * k);
  const angle = (a: number, b: number, y: number, x: number): number => (2 * Math.PI * ((a * y + b * x) % m)) / m;
  for (const [f, [a, b]] of pairs.entries()) {
    // Each stands for its conjugate too, but for the mean.
    const weight = (f === 0 ? 1 : 2) / (m * m);
    for (let place = 0; place < d * d; place++) {
      const turn = angle(a, b, Math.floor(place / d), place % d);
      analysis[f * d * d + place] = Math.cos(turn);
      analysis[(count + f) * d * d + place] = -Math.sin(turn);
      synthesis[place * 2 * count + f] = weight * Math.cos(turn);
      synthesis[place * 2 * count + count + f] = -weight * Math.sin(turn);
    }
    for (let tap = 0; tap < k * k; tap++) {
      const turn = angle(a, b, Math.floor(tap / k) - padding, (tap % k) - padding);
      ofKernel[f * k * k + tap] = Math.cos(turn);
      ofKernel[(count + f) * k * k + tap] = Math.sin(turn);
    }
  }
  const band = new Float32Array(d * d * k);
  for (let from = 0; from < d; from++) {
    for (let to = 0; to < d; to++) {
      const tap = from - to + padding;
      if (tap >= 0 && tap < k) band[(from * d + to) * k + tap] = 1;
    }
  }
  const keep = (values: Float32Array, rows: number): Tensor =>
    tf.keep(tf.tensor2d(values, [rows, values.length / rows]));
  return {
    frequencies: count,
    analysis: keep(analysis, 2 * count),
    synthesis: keep(synthesis, d * d),
    ofKernel: keep(ofKernel, 2 * count),
    band: keep(band, d * d),
  };
}

const transposeTyped = [float32, attribute.int32('Tperm')];
const permuted = (x: Tensor, axes: number[]): Tensor => executeOne('Transpose', transposeTyped, [x, integers(axes)]);

/** Ŵ as real matrices [[re, im], [−im, re]]. `[K, K, K, I, O]` → `[F, 2·D·I, 2·D·O]` */
function operatorOf(plan: Plan, filter: Tensor, d: number): Tensor {
  return tidy(() => {
    const [k, , , i, o] = filter.shape as [number, number, number, number, number];
    const f = plan.frequencies;
    const spectrum = view(product(plan.ofKernel, view(filter, [k * k, k * i * o])), [2 * f, k, i * o]);
    const banded = view(product(plan.band, spectrum), [2, f, d, d, i, o]);
    const [re, im] = unpack(view(permuted(banded, [0, 1, 2, 4, 3, 5]), [2, f, d * i, d * o]), 2, 0) as [Tensor, Tensor];
    const minus = executeOne('Neg', [float32], [im]);
    return pack([pack([re, im], 2), pack([minus, re], 2)], 1, [f, 2 * d * i, 2 * d * o]);
  });
}

/** The transpose of {@link operatorOf}: gradient by Ŵ → gradient by the filter. */
function filterGradientOf(plan: Plan, gradient: Tensor, filterShape: number[], d: number): Tensor {
  return tidy(() => {
    const [k, , , i, o] = filterShape as [number, number, number, number, number];
    const f = plan.frequencies;
    const [top, bottom] = unpack(view(gradient, [f, 2, d * i, 2 * d * o]), 2, 1) as [Tensor, Tensor];
    const [topLeft, topRight] = unpack(view(top, [f, d * i, 2, d * o]), 2, 2) as [Tensor, Tensor];
    const [bottomLeft, bottomRight] = unpack(view(bottom, [f, d * i, 2, d * o]), 2, 2) as [Tensor, Tensor];
    const re = executeOne('AddV2', [float32], [topLeft, bottomRight]);
    const im = executeOne('Sub', [float32], [topRight, bottomLeft]);
    const banded = permuted(view(pack([re, im], 0), [2 * f, d, i, d, o]), [0, 1, 3, 2, 4]);
    const spectrum = product(plan.band, view(banded, [2 * f, d * d, i * o]), true);
    return view(product(plan.ofKernel, view(spectrum, [2 * f, k * i * o]), true), filterShape);
  });
}

function unpack(x: Tensor, num: number, axis: number): Tensor[] {
  return execute('Unpack', [float32, attribute.integer('num', num), attribute.integer('axis', axis)], [x], num);
}

/** Stacks along a new axis; seen as `shape`, if given. */
function pack(parts: Tensor[], axis: number, shape?: number[]): Tensor {
  const packed = executeOne(
    'Pack',
    [float32, attribute.integer('N', parts.length), attribute.integer('axis', axis)],
    parts,
  );
  return shape === undefined ? packed : view(packed, shape);
}

/** x̂ of a chunk, frequencies first. `[n, D, D, D, C]` → `[F, n, 2·D·C]` */
function spectrumOf(plan: Plan, x: Tensor, transform: Tensor, transposed: boolean): Tensor {
  return tidy(() => {
    const [n, d, , , c] = x.shape as [number, number, number, number, number];
    const spectrum = product(transform, view(x, [n, d * d, d * c]), transposed);
    const frequenciesFirst = permuted(view(spectrum, [n, 2, plan.frequencies, d * c]), [2, 0, 1, 3]);
    return view(frequenciesFirst, [plan.frequencies, n, 2 * d * c]);
  });
}

/** Back from a spectrum. `[F, n, 2·D·C]` → `[n, D, D, D, C]` */
function signalOf(plan: Plan, spectrum: Tensor, d: number, transform: Tensor, transposed: boolean): Tensor {
  return tidy(() => {
    const [f, n, width] = spectrum.shape as [number, number, number];
    const cubesFirst = permuted(view(spectrum, [f, n, 2, width / 2]), [1, 2, 0, 3]);
    const signal = product(transform, view(cubesFirst, [n, 2 * f, width / 2]), transposed);
    return view(signal, [n, d, d, d, width / (2 * d)]);
  });
}

function chunksOf(plan: Plan, shape: readonly number[], channels: number): [from: number, size: number][] {
  const [total, d] = shape as [number, number];
  const size = Math.max(1, Math.floor(spectrumBytes / (4 * 2 * plan.frequencies * d * channels)));
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => [i * size, Math.min(size, total - i * size)]);
}

function cubes(x: Tensor, from: number, size: number): Tensor {
  return sliced(x, [from, 0, 0, 0, 0], [size, ...x.shape.slice(1)]);
}

/** y of a convolution with stride 1 that keeps the size. `[N, D, D, D, I]` and `[K, K, K, I, O]` → `[N, D, D, D, O]` */
export function spectralConvolution(x: Tensor, filter: Tensor): Tensor {
  return tidy(() => {
    const [, d, , , i] = x.shape as [number, number, number, number, number];
    const plan = planOf(d, filter.shape[0]);
    const operator = operatorOf(plan, filter, d);
    const parts = chunksOf(plan, x.shape, Math.max(i, filter.shape[4]!)).map(([from, size]) =>
      tidy(() => {
        const spectrum = spectrumOf(plan, cubes(x, from, size), plan.analysis, false);
        return signalOf(plan, product(spectrum, operator), d, plan.synthesis, false);
      }),
    );
    return concatenated(parts);
  });
}

/**
 * Gradients of {@link spectralConvolution}.
 *
 * @param needed which of the two are wanted.
 * @returns by x and by the filter; null where not wanted.
 */
export function spectralConvolutionGradients(
  dy: Tensor,
  x: Tensor,
  filter: Tensor,
  needed: readonly [boolean, boolean],
): [Tensor | null, Tensor | null] {
  const found = tidy(() => {
    const [, d, , , i] = x.shape as [number, number, number, number, number];
    const plan = planOf(d, filter.shape[0]);
    const operator = needed[0] ? operatorOf(plan, filter, d) : null;
    const dxParts: Tensor[] = [];
    let dOperator: Tensor | null = null;
    for (const [from, size] of chunksOf(plan, x.shape, Math.max(i, filter.shape[4]!))) {
      const [dx, part] = tidy((): [Tensor | null, Tensor | null] => {
        const dSpectrum = spectrumOf(plan, cubes(dy, from, size), plan.synthesis, true);
        const byOperator = needed[1]
          ? product(spectrumOf(plan, cubes(x, from, size), plan.analysis, false), dSpectrum, true)
          : null;
        const byInput = operator
          ? signalOf(plan, product(dSpectrum, operator, false, true), d, plan.analysis, true)
          : null;
        return [byInput, byOperator];
      });
      if (dx) dxParts.push(dx);
      if (part) dOperator = dOperator === null ? part : summed(dOperator, part);
    }
    return {
      byInput: operator ? concatenated(dxParts) : null,
      byFilter: dOperator === null ? null : filterGradientOf(plan, dOperator, filter.shape, d),
    };
  });
  return [found.byInput, found.byFilter];
}

function summed(sum: Tensor, part: Tensor): Tensor {
  const next = executeOne('AddV2', [float32], [sum, part]);
  sum.dispose();
  part.dispose();
  return next;
}
