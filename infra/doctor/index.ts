export type { Check } from './check.js';
export { runDoctor } from './runDoctor.js';
