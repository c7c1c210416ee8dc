/**
 * What stores have accepted from this thread: the folders that were read, written, listed, deleted in. Not a client's own,
 * for a worker opens its store anew for each activity.
 */
export const accepted = new Set<string>();

/** What stores have accepted so far, for a thread that goes on with this one's work: each thread keeps its own account. */
export const acceptedSoFar = (): readonly string[] => [...accepted];

/** Takes over what stores have accepted from another thread of this process. */
export function rememberAccepted(kinds: readonly string[]): void {
  for (const kind of kinds) accepted.add(kind);
}
