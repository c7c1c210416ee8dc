import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoaderMemoryCase, LoaderMemoryFigures } from './figures.js';

/** @param measure a process with a case. @returns figures of 1, 2 and 4 threads, by stage. */
export async function measureLoaderMemory(
  measure: (settings: LoaderMemoryCase) => Promise<unknown>,
): Promise<LoaderMemoryFigures[]> {
  const root = await mkdtemp(join(process.env['TEMPEH_BENCH_DIRECTORY'] ?? tmpdir(), 'loader-memory-'));
  try {
    await measure({ root, threads: 0 });
    const figures: LoaderMemoryFigures[] = [];
    for (const stage of ['coarse-finetuning', 'refinement'] as const) {
      for (const threads of [1, 2, 4]) figures.push((await measure({ root, stage, threads })) as LoaderMemoryFigures);
    }
    return figures;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
