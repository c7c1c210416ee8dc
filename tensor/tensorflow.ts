import { createRequire } from 'node:module';
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu';

/** Shapes of types that the rest of the program needs, so that only this room names the package. */
export type {
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  Tensor5D,
  Variable,
  Rank,
} from '@tensorflow/tfjs-node-gpu';

const require = createRequire(import.meta.url);

/**
 * TensorFlow through tfjs-node-gpu, for CPU and GPU alike.
 *
 * What is settled before the library is loaded, and cannot be changed afterwards (environment):
 * - `TF_NUM_INTRAOP_THREADS`: threads of one operation; unset, TensorFlow takes all cores.
 * - `TF_DETERMINISTIC_OPS=1`: bit-identical repetition, on a CPU too: without it threads race in the sampler's gradient.
 * - `TF_CPP_MIN_LOG_LEVEL`: 2 unless set, that is errors and warnings only.
 * - `TF_ENABLE_ONEDNN_OPTS`: 1 unless set. TensorFlow uses oneDNN's convolutions by itself only where the processor has
 *   AVX-512 with VNNI; with AVX2 alone they are two to three times as fast as its own, too. It says so on stderr.
 *
 * @throws Error when the native binding or TensorFlow's libraries are missing: run `npm run setup`.
 */
export const tf: typeof TensorFlow = load();

function load(): typeof TensorFlow {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // A GPU's whole memory is taken at the start otherwise, and a second process on it (the predictor) finds none.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  restoreRemovedUtilities(require('node:util') as Record<string, unknown>);
  // With `--enable-source-maps` Node would read 16 MB of maps of the packages: a quarter of the time that loading takes.
  const mapped = process.sourceMapsEnabled;
  process.setSourceMapsEnabled(false);
  let loaded: typeof TensorFlow;
  try {
    replaceUnusedPackages();
    loaded = require('@tensorflow/tfjs-node-gpu') as typeof TensorFlow;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `TensorFlow could not be loaded (${reason}). Run \`npm run setup\`; \`tempeh-flow doctor\` says more.`,
      {
        cause: error,
      },
    );
  } finally {
    process.setSourceMapsEnabled(mapped);
  }
  // The node backend's advertisement, and the slower consistency checks of debugging.
  loaded.enableProdMode();
  return loaded;
}

/**
 * tfjs's union package takes 4.4 MB of packages along that nothing here uses, a fifth of the time that loading takes: those of
 * layers, saved models and input pipelines, and two backends. What tfjs-node takes of the layers at its start is here.
 */
function replaceUnusedPackages(): void {
  const node = createRequire(require.resolve('@tensorflow/tfjs-node-gpu'));
  const union = createRequire(node.resolve('@tensorflow/tfjs'));
  const layers = { CustomCallback: class {}, registerCallbackConstructor: () => undefined };
  const replaced = { layers, converter: {}, data: {}, 'backend-cpu': {}, 'backend-webgl': {} };
  for (const [name, exports] of Object.entries(replaced)) {
    const id = union.resolve(`@tensorflow/tfjs-${name}`);
    const unused = { id, path: id, filename: id, loaded: true, exports, children: [], paths: [] };
    union.cache[id] ??= { ...unused, parent: null, isPreloading: false, require: union };
  }
}

/** tfjs-node 4.22 calls `util.isArray` and `util.isNullOrUndefined`, which Node 23 removed. */
function restoreRemovedUtilities(util: Record<string, unknown>): void {
  util.isArray ??= Array.isArray;
  util.isNullOrUndefined ??= (value: unknown): boolean => value === null || value === undefined;
}
