import { printable } from '../../text/printable.js';

const mostShown = 100;

/** Thrown when a published checkpoint cannot be read as the network that the configuration describes: all reasons at once. */
export class PublishedCheckpointMismatch extends Error {
  override readonly name = 'PublishedCheckpointMismatch';
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    const shown = problems.slice(0, mostShown).map((problem) => `  ${printable(problem)}\n`);
    const rest = problems.length > mostShown ? `  … and ${problems.length - mostShown} more\n` : '';
    super(
      `${printable(file)} does not hold what the configured network needs:\n${shown.join('')}${rest}` +
        'Give the configuration that it was trained with (--config config.json), or the file that belongs to this one.',
    );
  }
}

/** Thrown when a run has gone too far for what is to be brought into it. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused';
}

/** Thrown when a run has no such checkpoint. */
export class CheckpointNotFound extends Error {
  override readonly name = 'CheckpointNotFound';
}
