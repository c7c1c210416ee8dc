/** What other rooms use of this one. Nothing else touches TensorFlow's binding. */
export { tf } from './tensorflow.js';
export { tidy } from './engine/tidy.js';
export type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, Tensor5D, Variable } from './tensorflow.js';
export { deviceMemory } from './engine/deviceMemory.js';
export { runsOnGpu } from './engine/engine.js';
export { vectors, withoutOwnKernels } from './engine/ownKernels.js';
export { logitsAreWorthKeeping } from './kernels/tiledSoftmax.js';
export { precisionWarning, withActivations, type Activations } from './engine/precision.js';
export { forwardPass, hostLoss, reshape, valueAndGradients } from './gradients/gradients.js';
export {
  pendingNumber,
  Recording,
  type PendingNumber,
  type RecordedFunction,
  type RecordedFunctions,
} from './functions/recording.js';
export { bindingCalls, type BindingCalls } from './functions/interception.js';
export type { Order } from './functions/part.js';
export { isRecomputing, isRecording, type Recipe } from './gradients/recording.js';
export { countedOperations, inPhase, inPhaseOfPromise, observePhases, type PhaseName } from './engine/phases.js';
export { keepTogether, rematerialize } from './gradients/rematerialize.js';
export { resetPeak, tensorMemory } from './engine/memory.js';
export { convolution2d, convolution3d, transposedConvolution3d } from './convolution/convolution.js';
export { maxPool2d, maxPool3d } from './kernels/pooling.js';
export { followedBy, normalizeByBatch, normalizeByRunningStatistics } from './kernels/batchNormalization.js';
export type { Normalization } from './kernels/normalizationLayer.js';
export type { Afterwards } from './kernels/ownNormalization.js';
export { add, addBias, addReluInto, relu } from './kernels/elementwise.js';
export { resizeNearest } from './kernels/resizing.js';
export { multiply } from './kernels/matrices.js';
export { frameByZeros } from './kernels/padding.js';
export { samplePoints } from './kernels/pointSampling.js';
export { meanAndVariance, weightedMeanAndVariance } from './kernels/statistics.js';
export { expectationOfRows, softmaxExpectation } from './kernels/softmaxExpectation.js';
export { withExactShifts } from './kernels/softmaxShift.js';
export { joinBatch, splitBatch } from './kernels/batches.js';
