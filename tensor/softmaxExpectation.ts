import { attribute, executeOne, float32, integers, view } from './engine.js';
import { countOperations } from './phases.js';
import { record, withoutGradients } from './recording.js';
import { tidy } from './tidy.js';
import { tf, type Tensor, type Tensor2D, type Tensor3D } from './tensorflow.js';

/**
 * Softmax over voxels, and the expectation of a vector at them, as attention with learnt queries:
 *
 *   a[b,l,n] = Σ_c queries[c,l] · keys[b,n,c],   p = softmax_n(a),   y[b,l] = Σ_n p[b,l,n] · values[n].
 *
 * The array p, `[B, L, N]` (1.3 GB for two heads at paper scale), never exists: queries go in chunks, and the backward
 * pass computes each chunk's part again:
 *
 *   da = p ∘ (dy · (values − y)ᵀ),   dqueries = keysᵀ · daᵀ,   dkeys = daᵀ · queriesᵀ.
 *
 * Legend: B samples, N voxels, C channels, L queries (vertices), K components of a value, Q queries of a chunk.
 *
 * @param keys `[B, N, C]` @param queries `[C, L]` @param values constants. `[N, K]`
 * @param chunkBytes the memory that one chunk of p may take.
 * @returns `[B, L, K]`
 */
export function softmaxExpectation(
  keys: Tensor3D,
  queries: Tensor2D,
  values: Tensor2D,
  chunkBytes = 64 * 2 ** 20,
): Tensor3D {
  const [samples, n] = keys.shape;
  const chunks = chunkBounds(queries.shape[1], Math.max(1, Math.floor(chunkBytes / (4 * n))));
  const y = withoutGradients(() =>
    tf.stack(
      range(samples).map((sample) => {
        const keysOfSample = sampleOf(keys, sample);
        const parts = chunks.map((bounds) =>
          tf.tidy(() => matMul(attention(keysOfSample, columns(queries, bounds)), values, false, false)),
        );
        return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
      }),
    ),
  );
  const [channels, components] = [queries.shape[0], values.shape[1]];
  const pairs = samples * n * queries.shape[1];
  countOperations(2 * pairs * (channels + components));
  record('SoftmaxExpectation', [keys, queries], [y], [keys, queries, values, y], ([dy], saved) => {
    countOperations(2 * pairs * (2 * channels + components));
    const [keys, queries, values, y] = saved;
    return backward(dy!, keys!, queries!, values!, y!, chunks);
  });
  return y as Tensor3D;
}

type Bounds = readonly [from: number, to: number];

function backward(
  dy: Tensor,
  keys: Tensor,
  queries: Tensor,
  values: Tensor,
  y: Tensor,
  chunks: readonly Bounds[],
): [Tensor, Tensor] {
  const [c, l] = queries.shape as [number, number];
  // dy · (values − y)ᵀ as one product: [dy, −dy·y] · [values, 1]ᵀ.
  const homogeneous = tf.concat([values, tf.ones([values.shape[0], 1])], 1);
  const shifted = tf.concat([dy, tf.neg(tf.sum(tf.mul(dy, y), -1, true))], -1);
  let dQueries: Tensor | undefined;
  const dKeys = range(keys.shape[0]).map((sample) => {
    const keysOfSample = sampleOf(keys, sample);
    const shiftedOfSample = sampleOf(shifted, sample);
    let dKeysOfSample: Tensor | undefined;
    const parts = chunks.map((bounds) => {
      const [part, dKeysPart] = tidy((): [Tensor, Tensor] => {
        const queriesPart = columns(queries, bounds);
        const p = attention(keysOfSample, queriesPart);
        const byValue = matMul(rows(shiftedOfSample, bounds), homogeneous, false, true);
        const da = executeOne('Mul', [float32], [p, byValue]);
        p.dispose();
        byValue.dispose();
        return [matMul(keysOfSample, da, true, true), matMul(da, queriesPart, true, true)];
      });
      dKeysOfSample = accumulated(dKeysOfSample, dKeysPart);
      return part;
    });
    dQueries = accumulated(dQueries, parts.length === 1 ? parts[0]! : tf.concat(parts, 1));
    return dKeysOfSample!;
  });
  return [tf.stack(dKeys), view(dQueries!, [c, l])];
}

/** p of one sample and one chunk of queries. `[Q, N]` */
function attention(keys: Tensor, queries: Tensor): Tensor {
  const logits = matMul(queries, keys, true, true);
  const p = executeOne('Softmax', [float32], [logits]);
  logits.dispose();
  return p;
}

function accumulated(sum: Tensor | undefined, part: Tensor): Tensor {
  if (sum === undefined) return part;
  const next = executeOne('AddV2', [float32], [sum, part]);
  sum.dispose();
  part.dispose();
  return next;
}

function matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  return executeOne(
    'MatMul',
    [float32, attribute.flag('transpose_a', transposeA), attribute.flag('transpose_b', transposeB)],
    [a, b],
  );
}

const sliceTyped = [float32, attribute.int32('Index')];

function sampleOf(x: Tensor, sample: number): Tensor {
  const [samples, ...rest] = x.shape;
  if (samples === 1) return view(x, rest);
  const begin = [sample, ...rest.map(() => 0)];
  return view(executeOne('Slice', sliceTyped, [x, integers(begin), integers([1, ...rest])]), rest);
}

function columns(x: Tensor, [from, to]: Bounds): Tensor {
  if (to - from === x.shape[1]) return x;
  return executeOne('Slice', sliceTyped, [x, integers([0, from]), integers([x.shape[0], to - from])]);
}

function rows(x: Tensor, [from, to]: Bounds): Tensor {
  if (to - from === x.shape[0]) return x;
  return executeOne('Slice', sliceTyped, [x, integers([from, 0]), integers([to - from, x.shape[1]!])]);
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
  const y = matMul(p, values, false, false);
  record('ExpectationOfRows', [logits], [y], [p, values, y], ([dy], [p, values, y]) => {
    const homogeneous = tf.concat([values!, tf.ones([values!.shape[0], 1])], 1);
    const shifted = tf.concat([dy!, tf.neg(tf.sum(tf.mul(dy!, y!), -1, true))], -1);
    return [executeOne('Mul', [float32], [p!, matMul(shifted, homogeneous, false, true)])];
  });
  return y as Tensor2D;
}
