/** What a cache did: objects and their bytes. Sums over threads and processes are of use. */
export interface CacheCounts {
  /** Read from the disk. */
  readonly hits: number;
  readonly hitBytes: number;
  /** Asked of the store; bytes of answers that were damaged are among them. */
  readonly misses: number;
  readonly missBytes: number;
  /** Removed to stay within the limit, by this user of the cache. */
  readonly evicted: number;
  readonly evictedBytes: number;
}

export const noCounts: CacheCounts = { hits: 0, hitBytes: 0, misses: 0, missBytes: 0, evicted: 0, evictedBytes: 0 };

const names = Object.keys(noCounts) as (keyof CacheCounts)[];

/** a + b, or a − b on demand. */
export function sumOfCounts(a: CacheCounts, b: CacheCounts, sign: 1 | -1 = 1): CacheCounts {
  return Object.fromEntries(names.map((name) => [name, a[name] + sign * b[name]])) as unknown as CacheCounts;
}
