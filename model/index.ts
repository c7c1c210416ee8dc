/** The networks (method 2 and 3): pure functions of parameters, buffers and inputs. */
export { coarseForward } from './coarse.js';
export { refinementForward, type CoarseSurface } from './refinement.js';
export { countBatches, disposeStatistics } from './pass.js';
export {
  coarseLayout,
  isFeatureNetTensor,
  isLocaliserParameter,
  isTrunkTensor,
  refinementLayout,
  type TensorLayout,
} from './parameters/parameterLayout.js';
export { fromPublished, toPublished } from './parameters/layoutConversion.js';
export { disposeState, initialState, modelState } from './parameters/modelState.js';
export { automaticMemorySettings } from './memorySettings.js';
export type { Mode, ModelState, StatisticsUpdate, ViewTensors } from './types.js';
