import { pMapSettled } from 'p-map';

/**
 * Does work for every item, at most `atOnce` at a time. After the first failure no further item is begun, and the work under
 * way is aborted by its signal; the failure is thrown once all of it has ended: no work outlives the call. (`pMap` alone
 * rejects at once, and what it began goes on unseen.)
 *
 * @param items may come one by one: the next is asked for when there is room. One that cannot be had is a failure.
 * @param work given the item, its index, and a signal that is aborted by the first failure.
 * @returns the results, in the order of the items.
 */
export async function mapLimited<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item, index: number, failed: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failing = new AbortController();
  let failure: { readonly cause: unknown } | null = null;
  const fail = (cause: unknown): void => {
    failure ??= { cause };
    failing.abort(cause);
  };
  const untilFailure = async function* (): AsyncGenerator<Item> {
    try {
      for await (const item of items) {
        if (failing.signal.aborted) return;
        yield item;
      }
    } catch (cause) {
      fail(cause);
    }
  };
  const settled = await pMapSettled(
    untilFailure(),
    async (item, index) => {
      failing.signal.throwIfAborted();
      try {
        return await work(item, index, failing.signal);
      } catch (cause) {
        fail(cause);
        throw cause;
      }
    },
    { concurrency: Math.max(1, atOnce) },
  );
  if (failure !== null) throw (failure as { readonly cause: unknown }).cause;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<Result>).value);
}
