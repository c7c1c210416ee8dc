import { z } from 'zod';

/** When something that is silent counts as lost. */
export const supervisionSchema = z.strictObject({
  progressTimeoutSeconds: z
    .number()
    .min(1)
    .default(120)
    .describe(
      'Seconds without observed progress (a step, a frame, a file) until a trainer counts as hung, or a worker as lost, and the work is given out again. Longer than the longest step, and than starting takes; than Temporal takes to restart, for a worker that cannot reach it is given up like one that is dead, which costs a checkpoint’s interval of steps. Below some 6 s a trainer that waits for a store is taken for a hung one: it reports every few seconds that it waits.',
    ),
  lostWorkerSeconds: z
    .number()
    .min(1)
    .default(300)
    .describe(
      'Seconds that a data worker may be away before its fetching, extracting and packing starts anew on another.',
    ),
});

/** How long silence, loss of workers and retries may take. */
export type SupervisionConfiguration = z.infer<typeof supervisionSchema>;
