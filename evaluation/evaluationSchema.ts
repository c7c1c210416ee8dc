import { z } from 'zod';
import type { Evaluation } from './types.js';

const figure = z.number();
const summary = z.object({
  count: figure,
  median: figure,
  mean: figure,
  standardDeviation: figure,
  percentile90: figure,
});
const frameId = { subject: z.string(), sequence: z.string(), frame: z.string() };
const byMethod = z.record(z.string(), figure);

/** What `evaluation.json` may have: that of 100,000 frames has 60 MB. */
export const evaluationLimitBytes = 2 ** 29;

/** `runs/RUN/evaluation/evaluation.json` */
export const evaluationSchema: z.ZodType<Evaluation> = z.object({
  version: z.literal(1),
  run: z.string(),
  frames: z.int().min(0),
  subjects: z.array(z.string()),
  methods: z.array(
    z.object({
      method: z.string(),
      pointToSurface: summary,
      pointToSurfaceQuantiles: z.array(figure),
      vertices: summary.nullable(),
      aligned: z
        .object({ pointToSurface: summary, vertices: summary })
        .nullish()
        .transform((found) => found ?? null),
      parts: z
        .object({ pose: figure, identity: figure, expression: figure, expressionExplained: figure.nullable() })
        .nullish()
        .transform((found) => found ?? null),
      acceleration: figure.nullish().transform((found) => found ?? null),
    }),
  ),
  farPoints: z.object({ beyond: figure, count: figure, share: figure }).exactOptional(),
  regions: z.array(z.object({ region: z.string(), method: z.string(), pointToSurface: summary })).exactOptional(),
  perFrame: z.array(z.object({ ...frameId, pointToSurface: byMethod })),
  perSequence: z.array(
    z.object({ subject: z.string(), sequence: z.string(), frames: figure, pointToSurface: byMethod }),
  ),
  leftOut: z.array(z.object({ ...frameId, reason: z.string() })),
});
