import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs tasks in their order, at most `limit` at once. The first failure cancels the others; it is thrown when all of
 * them have ended.
 */
export async function runAtMost(limit: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const scope = new CancellationScope({ cancellable: true, parent: CancellationScope.current() });
  await scope.run(async () => {
    const waiting = tasks.values();
    const failures: unknown[] = [];
    const lane = async () => {
      // All lanes draw from one iterator.
      for (const task of waiting) {
        if (failures.length > 0) return;
        try {
          await task();
        } catch (failure) {
          failures.push(failure);
          scope.cancel();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, lane));
    if (failures.length > 0) throw failures[0];
  });
}
