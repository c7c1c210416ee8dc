import { sliced, strided } from './batches.js';
import { executeOne, filled, float32, view } from '../engine/engine.js';
import { product } from './matrices.js';
import { countOperations } from '../engine/phases.js';
import { logitsAreWorthKeeping, tiledSoftmaxExpectation, tilesFit } from './tiledSoftmax.js';
import { isRecording, record, withoutGradients } from '../gradients/recording.js';
import { chosenShifting, exponentials, shiftStride, withoutLost } from './softmaxShift.js';
import { tidy } from '../engine/tidy.js';
import { tf, type Tensor, type Tensor2D, type Tensor3D } from '../tensorflow.js';

/**
 * Softmax over voxels, and the expectation of a vector at them, as attention with learnt queries:
 *
 *   a[b,n,l] = Σ_c keys[b,n,c] · queries[c,l],   p = softmax_n(a),   y[b,l] = Σ_n p[b,n,l] · values[n].
 *
 * The array p, `[B, N, L]` (1.3 GB for two heads at paper scale), need not exist: queries go in chunks, and the backward
 * pass computes each chunk's part again, unless it is kept:
 *
 *   da = p ∘ ((values − y) · dyᵀ),   dqueries = keysᵀ · da,   dkeys = da · queriesᵀ.
 *
 * p is not normalised: e = exp(a − s) serves, and its sums z are divided by in the small arrays. The shift s of a query is
 * the largest logit among a part of the voxels, and part of the product (a last channel of ones): so neither a pass over
 * the logits for their maximum nor one to take it off is needed. Where z says that another voxel's logit was larger by
 * more than float32 bears, the chunk is computed again with a shift farther up, at last with the largest logit of all, and
 * the chunks after it at once.
 *
 * On a processor with AVX2 a kernel of ours does all that in tiles (tiledSoftmax.ts); what follows is for GPUs and others.
 *
 * Legend: B samples, N voxels, C channels, L queries (vertices), K components of a value, Q queries of a chunk.
 *
 * @param keys `[B, N, C]` @param queries `[C, L]` @param values constants. `[N, K]`
 * @param chunkBytes the memory that one chunk of p may take.
 * @param keep whether p is kept for the backward pass; it changes no bit. In tiles it is the logits, with AVX2 alone.
 * @returns `[B, L, K]`
 */
export function softmaxExpectation(
  keys: Tensor3D,
  queries: Tensor2D,
  values: Tensor2D,
  chunkBytes = 64 * 2 ** 20,
  keep = false,
): Tensor3D {
  const keeping = keep && isRecording();
  if (tilesFit(values)) return tiledSoftmaxExpectation(keys, queries, values, keeping && logitsAreWorthKeeping());
  const [samples, n] = keys.shape;
  const [channels, components] = [queries.shape[0], values.shape[1]];
  const chunks = chunkBounds(queries.shape[1], Math.max(1, Math.floor(chunkBytes / (4 * n))));
  const [y, sums, shifts, kept] = withoutGradients(() =>
    tidy((): [Tensor, Tensor, Tensor, (Tensor | undefined)[]] => {
      const homogeneous = withOnes(values);
      const looked = strided(keys, [1, shiftStride, 1]);
      const shifting = chosenShifting(sampleOf(looked, 0), columns(queries, chunks[0]!), keeping);
      const weighted = range(samples).map((sample) => {
        const keysOfSample = withOnes(sampleOf(keys, sample));
        const lookedOfSample = sampleOf(looked, sample);
        const ofChunks = chunks.map((bounds) =>
          shifting(keysOfSample, lookedOfSample, columns(queries, bounds), homogeneous),
        );
        return [
          tf.concat(
            ofChunks.map(({ sums }) => sums),
            0,
          ),
          tf.concat(
            ofChunks.map(({ shift }) => shift),
            1,
          ),
          ofChunks.map(({ e }) => e),
        ] as const;
      });
      const stacked = tf.stack(weighted.map(([sums]) => sums));
      const [numerators, sums] = tf.split(stacked, [components, 1], 2) as [Tensor, Tensor];
      const y = withoutLost(tf.div(numerators, sums), sums);
      return [y, sums, tf.stack(weighted.map(([, shift]) => shift)), weighted.flatMap(([, , es]) => es)];
    }),
  );
  const pairs = samples * n * queries.shape[1];
  countOperations(2 * pairs * (channels + components));
  // Of each chunk of each sample, or of none.
  const all = kept.filter((e) => e !== undefined);
  const exponentialsKept = all.length === kept.length ? all : [];
  const saving = [keys, queries, values, y, sums, shifts, ...exponentialsKept];
  record('SoftmaxExpectation', [keys, queries], [y], saving, ([dy], saved) => {
    countOperations(2 * pairs * (2 * channels + components));
    const [keys, queries, values, y, sums, shifts, ...exponentials] = saved;
    return backward(dy!, keys!, queries!, values!, y!, sums!, shifts!, chunks, exponentials);
  });
  tf.dispose(all);
  return y as Tensor3D;
}

type Bounds = readonly [from: number, to: number];

function withOnes(rows: Tensor): Tensor {
  return tf.concat([rows, filled([rows.shape[0], 1], 1)], 1);
}

function backward(
  dy: Tensor,
  keys: Tensor,
  queries: Tensor,
  values: Tensor,
  y: Tensor,
  sums: Tensor,
  shifts: Tensor,
  chunks: readonly Bounds[],
  kept: readonly Tensor[],
): [Tensor, Tensor] {
  const [c, l] = queries.shape as [number, number];
  const homogeneous = withOnes(values);
  // (values − y) · dyᵀ / z as one product: [values, 1] · [dy, −dy·y]ᵀ / z.
  const slopes = tf.div(tf.concat([dy, tf.neg(tf.sum(tf.mul(dy, y), -1, true))], -1), sums);
  let dQueries: Tensor | undefined;
  const dKeys = range(keys.shape[0]).map((sample) => {
    const keysOfSample = sampleOf(keys, sample);
    const keysAndOnes = withOnes(keysOfSample);
    const slopesOfSample = sampleOf(slopes, sample);
    const shiftsOfSample = sampleOf(shifts, sample);
    let dKeysOfSample: Tensor | undefined;
    const parts = chunks.map((bounds, chunk) => {
      const [part, dKeysPart] = tidy((): [Tensor, Tensor] => {
        const queriesPart = columns(queries, bounds);
        const e =
          kept[sample * chunks.length + chunk] ??
          exponentials(keysAndOnes, queriesPart, columns(shiftsOfSample, bounds));
        const byValue = product(homogeneous, rows(slopesOfSample, bounds), false, true);
        const da = executeOne('Mul', [float32], [e, byValue]);
        e.dispose();
        byValue.dispose();
        return [product(keysOfSample, da, true), product(da, queriesPart, false, true)];
      });
      dKeysOfSample = accumulated(dKeysOfSample, dKeysPart);
      return part;
    });
    dQueries = accumulated(dQueries, parts.length === 1 ? parts[0]! : tf.concat(parts, 1));
    return dKeysOfSample!;
  });
  return [tf.stack(dKeys), view(dQueries!, [c, l])];
}

function accumulated(sum: Tensor | undefined, part: Tensor): Tensor {
  if (sum === undefined) return part;
  const next = executeOne('AddV2', [float32], [sum, part]);
  sum.dispose();
  part.dispose();
  return next;
}

function sampleOf(x: Tensor, sample: number): Tensor {
  const [samples, ...rest] = x.shape;
  if (samples === 1) return view(x, rest);
  const begin = [sample, ...rest.map(() => 0)];
  return view(sliced(x, begin, [1, ...rest]), rest);
}

function columns(x: Tensor, [from, to]: Bounds): Tensor {
  if (to - from === x.shape[1]) return x;
  return sliced(x, [0, from], [x.shape[0], to - from]);
}

function rows(x: Tensor, [from, to]: Bounds): Tensor {
  if (to - from === x.shape[0]) return x;
  return sliced(x, [from, 0], [to - from, x.shape[1]!]);
}

function chunkBounds(total: number, size: number): Bounds[] {
  return range(Math.ceil(total / size)).map((i) => [i * size, Math.min(total, (i + 1) * size)]);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/**
 * Softmax of each row, and the expectation of a vector under it: y[m] = Σ_n softmax_n(logits[m]) · values[n].
 *
 * @param logits `[M, N]` @param values constants. `[N, K]` @returns `[M, K]`
 */
export function expectationOfRows(logits: Tensor2D, values: Tensor2D): Tensor2D {
  const p = executeOne('Softmax', [float32], [logits]);
  const y = product(p, values);
  record('ExpectationOfRows', [logits], [y], [p, values, y], ([dy], [p, values, y]) => {
    const homogeneous = tf.concat([values!, filled([values!.shape[0], 1], 1)], 1);
    const shifted = tf.concat([dy!, tf.neg(tf.sum(tf.mul(dy!, y!), -1, true))], -1);
    return [executeOne('Mul', [float32], [p!, product(shifted, homogeneous, false, true)])];
  });
  return y as Tensor2D;
}
