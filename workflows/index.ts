/** What a data worker registers: the names here are the workflow types (configs/temporal.ts). */
export { coarseFinetuning } from './steps/coarseFinetuning.js';
export { coarsePretraining } from './steps/coarsePretraining.js';
export { dataset } from './steps/dataset.js';
export { evaluation } from './steps/evaluation.js';
export { fetchPublished } from './fetchPublished.js';
export { fullTraining } from './fullTraining.js';
export { predictFolders } from './predictFolders.js';
export { predictions } from './steps/predictions.js';
export { refinement } from './steps/refinement.js';
export { series } from './series.js';
