/**
 * Does work for every item, a few at a time, and returns the results in the items' order. After a failure no further
 * item is begun; the error is thrown when those under way have ended.
 */
export async function runLimited<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  let failure: { error: unknown } | null = null;
  const runner = async (): Promise<void> => {
    while (failure === null && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, atOnce), items.length) }, runner));
  if (failure !== null) throw (failure as { error: unknown }).error;
  return results;
}
