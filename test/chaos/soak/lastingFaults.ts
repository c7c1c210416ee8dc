import type { TrainingFault } from '../faults/faultKinds.js';
import { severeFaults } from '../faults/severeFaults.js';
import { trainingFaults } from '../faults/trainingFaults.js';

/** Of all faults those that workers and servers outlive, so that what they hold can be followed from round to round. */
export const lastingFaults: readonly TrainingFault[] = [
  'SIGKILL to the trainer',
  'SIGTERM to the trainer',
  'network between GPU worker and Temporal cut: two workers at once',
  'S3 server hangs for 4 s (SIGSTOP)',
  'S3 answers 503 for 3 s',
  'S3 is slow for 5 s (0.4 s a request)',
  'credentials expire, renewed after 4 s',
  "the manifest put's answer is lost",
  'connection cut in a part upload',
  "a part upload's answer is lost",
  'trainer killed inside the manifest put, which arrives',
  'trainer killed inside the manifest put, which does not arrive',
  'trainer killed inside a part upload',
  "trainer killed in retention's deletion",
  'trainer killed between claim and first step',
  'trainer killed in the sweep of a claim',
  'newest checkpoint damaged (a bit flips on the disk of the S3 server), trainer killed',
  'a storm of pause, resume and extend',
  'the run is cancelled during a claim, and resumed',
].map((name) => {
  const found = [...trainingFaults, ...severeFaults].find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`No fault is called "${name}".`);
  return found;
});
