/** What other rooms use of this one. Nothing else touches TensorFlow's binding. */
export { tf } from './tensorflow.js';
export { tidy } from './tidy.js';
export type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, Tensor5D, Variable } from './tensorflow.js';
export { runsOnGpu } from './engine.js';
export { precisionWarning, withActivations, type Activations } from './precision.js';
export {
  forwardPass,
  hostLoss,
  reshape,
  valueAndGradients,
  type Differentiable,
  type ForwardPass,
} from './gradients.js';
export { Recording, type RecordedFunction, type RecordedFunctions } from './functions/recording.js';
export { isRecomputing, isRecording, withoutGradients } from './recording.js';
export { countedOperations, inPhase, observePhases, type PhaseName } from './phases.js';
export { rematerialize } from './rematerialize.js';
export { resetPeak, tensorMemory, type TensorMemory } from './memory.js';
export { convolution2d, convolution3d, transposedConvolution3d } from './convolution.js';
export { maxPool2d, maxPool3d } from './pooling.js';
export {
  normalizeByBatch,
  normalizeByRunningStatistics,
  type Normalization,
  type RunningStatistics,
} from './batchNormalization.js';
export { add, addBias, addReluInto, relu } from './elementwise.js';
export { resizeNearest } from './resizing.js';
export { multiply } from './matrices.js';
export { frameByZeros } from './padding.js';
export { sampleBilinear } from './bilinearSampling.js';
export { meanAndVariance, weightedMeanAndVariance } from './statistics.js';
export { expectationOfRows, softmaxExpectation } from './softmaxExpectation.js';
export { withExactShifts } from './softmaxShift.js';
export { joinBatch, splitBatch } from './batches.js';
