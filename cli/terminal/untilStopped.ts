import { listenForStop, type StopRequestOptions } from '../../workers/lifecycle/stopRequest.js';
import { Interrupted } from '../errors.js';

/**
 * Does work that a signal stops before its end.
 *
 * @param stopped what is said then: what is kept, and how to go on.
 * @throws Interrupted where it was stopped; else what the work throws.
 */
export async function untilStopped<T>(
  work: (signal: AbortSignal) => Promise<T>,
  stopped?: string,
  options: StopRequestOptions = {},
): Promise<T> {
  const request = listenForStop(options);
  try {
    return await work(request.signal);
  } catch (error) {
    if (!request.signal.aborted) throw error;
    const isStop = error instanceof Error && /^(AbortError|PredictionStopped)$/.test(error.name);
    throw new Interrupted(stopped, isStop ? {} : { cause: error });
  } finally {
    request.release();
  }
}
