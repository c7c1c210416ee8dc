/** The code of the first error of writing to each stream. */
const lost = new Map<NodeJS.WriteStream, string>();

/**
 * Lets this process go on when nobody takes what it prints any more: the reader of a pipe has ended (EPIPE), the terminal
 * was closed (EIO), the disk is full (ENOSPC). What it works on is worth more than its log; later lines arrive where they can.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!lost.has(stream)) lost.set(stream, error.code ?? error.message);
    });
  }
}

/** Why something that was printed has not arrived; null where all has, as far as is known. */
export function lostOutput(stream: NodeJS.WriteStream = process.stdout): string | null {
  return lost.get(stream) ?? null;
}
