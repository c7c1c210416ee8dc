/**
 * Does work, then cleans up behind it, however it ended. Of two errors the first is told, for the other is often its
 * consequence; one of the clean-up alone is thrown.
 */
export async function withCleanUp<T>(work: () => Promise<T>, cleanUp: () => Promise<unknown>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (cause) {
    await cleanUp().catch(() => undefined);
    throw cause;
  }
  await cleanUp();
  return result;
}
