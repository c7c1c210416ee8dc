/** A child process that predicts nothing: of each frame it says why. For tests of what becomes of that. */
import type { PredictorCommand, PredictorEvent } from '../../../inference/protocol.js';

process.on('message', (command: PredictorCommand) => {
  if (command.kind !== 'predict') return;
  const { frames, configuration } = command.job;
  // What it was given to work with is reported, too.
  const reason = `its scan is damaged, and seed ${configuration.seed} does not mend that: ${'no header. '.repeat(12)}`;
  const failures = frames.map(({ id }) => ({ id, reason }));
  const finished: PredictorEvent = { kind: 'finished', result: { predicted: 0, skipped: 0, failures, seconds: 1 } };
  process.send?.(finished, undefined, undefined, () => process.exit(0));
});
