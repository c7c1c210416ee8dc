/** What a promise gives, or `late` if it takes longer. Its failure is thrown, if it comes in time. */
export async function within<T, Late>(promise: Promise<T>, seconds: number, late: Late): Promise<T | Late> {
  let clock: NodeJS.Timeout | undefined;
  const patience = new Promise<Late>((resolve) => {
    clock = setTimeout(resolve, seconds * 1000, late);
  });
  // One that fails later has nobody who waits for it.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(clock);
  }
}
