import { extractFetched, fetchForExtraction, type DataPath } from './dataPath.js';
import { VolumeMissing } from './extract/errors.js';
import type { TransferProgress } from './fetch/progress.js';

/** What is done to get a bundle. */
export type ObtainPhase = 'fetch' | 'extract';

export interface ObtainOptions {
  readonly path: DataPath;
  readonly onProgress: (phase: ObtainPhase, bundle: string, progress: TransferProgress) => void;
  /** A part is done; the bytes are those that came over the network, or were extracted. */
  readonly onDone: (phase: ObtainPhase, bundle: string, bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Volumes that go missing again and again are somebody's doing. */
const mostRefetched = 3;

/**
 * Fetches and extracts bundles in this process: extraction of one beside the fetching of the next. What the workflow
 * does, for one machine without Temporal.
 *
 * @throws as `fetchBundle`, `extractBundle`
 */
export async function obtainBundles({ path, onProgress, onDone, signal: outer }: ObtainOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const fetchOne = async (bundle: string): Promise<void> => {
    const report = (progress: TransferProgress) => onProgress('fetch', bundle, progress);
    const { fetchedBytes } = await fetchForExtraction(path, { bundle, onProgress: report, signal });
    onDone('fetch', bundle, fetchedBytes);
  };
  const extractOne = async (bundle: string): Promise<void> => {
    const report = (progress: TransferProgress) => onProgress('extract', bundle, progress);
    for (let refetched = 0; ; refetched++) {
      try {
        const { extractedBytes } = await extractFetched(path, { bundle, onProgress: report, signal });
        onDone('extract', bundle, extractedBytes);
        return;
      } catch (error) {
        if (!(error instanceof VolumeMissing) || refetched === mostRefetched) throw error;
        await fetchOne(bundle);
      }
    }
  };
  let extracting: Promise<void> = Promise.resolve();
  const stop = (error: unknown): never => {
    failed.abort(error);
    throw error;
  };
  try {
    for (const bundle of path.bundles) {
      await fetchOne(bundle);
      extracting = extracting.then(() => extractOne(bundle)).catch(stop);
      // Its failure is thrown below; meanwhile it is no unhandled one.
      extracting.catch(() => undefined);
    }
  } catch (error) {
    failed.abort(error);
    await extracting.catch(() => undefined);
    outer.throwIfAborted();
    throw failed.signal.reason;
  }
  await extracting;
}
