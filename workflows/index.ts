/** What a data worker registers: the names here are the workflow types (configs/temporal.ts). */
export { coarseFinetuning } from './coarseFinetuning.js';
export { coarsePretraining } from './coarsePretraining.js';
export { dataset } from './dataset.js';
export { evaluation } from './evaluation.js';
export { fetchPublished } from './fetchPublished.js';
export { fullTraining } from './fullTraining.js';
export { predictFolders } from './predictFolders.js';
export { predictions } from './predictions.js';
export { refinement } from './refinement.js';
