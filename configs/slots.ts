/** How many trainers and predictors share this machine: their worker says so. */
const slotsVariable = 'TEMPEH_SLOTS';

/** @returns 1 where the environment does not say. */
function slotsOf(environment: NodeJS.ProcessEnv = process.env): number {
  const slots = Number(environment[slotsVariable] ?? 1);
  return Number.isSafeInteger(slots) && slots > 0 ? slots : 1;
}

/** The share of one of several: threads that read. Their cache is the node's, and its limit that of all of them. */
export function shareOf<Loader extends { readonly threads: number }>(loader: Loader, slots = slotsOf()): Loader {
  return {
    ...loader,
    threads: Math.max(1, Math.floor(loader.threads / slots)),
  };
}

/** Threads of one of several on so many cores, for libraries that would else take all of them. */
export function threadsOf(cores: number, environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const slots = slotsOf(environment);
  if (slots === 1) return {};
  const threads = String(Math.max(1, Math.floor(cores / slots)));
  // What the worker's owner has set counts.
  const { OMP_NUM_THREADS = threads, TF_NUM_INTRAOP_THREADS = threads } = environment;
  return { OMP_NUM_THREADS, TF_NUM_INTRAOP_THREADS };
}
