/**
 * Does work, then cleans up behind it, however it ended. Of several errors the first is thrown, for the others are often its
 * consequences; an error of the clean-up alone is thrown, too.
 *
 * @param cleanUps are done one after the other, each whatever became of those before it.
 */
export async function withCleanUp<T>(
  work: () => Promise<T>,
  ...cleanUps: readonly (() => Promise<unknown> | void)[]
): Promise<T> {
  const errors: unknown[] = [];
  const attempt = async <R>(task: () => Promise<R> | R): Promise<R | undefined> => {
    try {
      return await task();
    } catch (cause) {
      errors.push(cause);
      return undefined;
    }
  };
  const result = await attempt(work);
  for (const cleanUp of cleanUps) await attempt(cleanUp);
  if (errors.length > 0) throw errors[0];
  return result as T;
}
