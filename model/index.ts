/** The networks (method 2 and 3): pure functions of parameters, buffers and inputs. */
export { coarseForward, type CoarseOptions, type CoarseOutput } from './coarse.js';
export { refinementForward, type CoarseSurface, type RefinementOptions, type RefinementOutput } from './refinement.js';
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
export { disposeState, initialState, modelState, type TensorValues } from './parameters/modelState.js';
export { automaticMemorySettings } from './memorySettings.js';
export type { MemorySettings, Mode, ModelState, StatisticsUpdate, ViewTensors } from './types.js';
export type { GridPlacement } from './sampling/voxelGrid.js';
