import { backend, runsOnGpu } from './engine.js';

/**
 * Kernels of our own: operations that `infra/setup/binding` adds to TensorFlow, for processors with AVX2 or AVX-512. GPUs,
 * other processors and `TEMPEH_VECTORS=none` have TensorFlow's.
 */

/** What our kernels compute with: `avx512`, `avx2`; `none` where the processor has neither, or `TEMPEH_VECTORS` says so. */
export const vectors = (backend.binding as unknown as { readonly vectors?: string }).vectors ?? 'none';

let allowed = true;

/** Runs `f` with TensorFlow's own operations instead, as on a GPU: for tests. */
export function withoutOwnKernels<A>(f: () => A): A {
  const outer = allowed;
  allowed = false;
  try {
    return f();
  } finally {
    allowed = outer;
  }
}

/** {@link vectors} where our kernels are to be used; `none` where TensorFlow's operations are. */
export function vectorsInUse(): string {
  return allowed && !runsOnGpu() ? vectors : 'none';
}
