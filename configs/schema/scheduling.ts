import { z } from 'zod';

/** Whose turn it is where runs share workers. */
export const schedulingSchema = z.strictObject({
  team: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected letters, digits, dots, dashes and underscores, 64 at most')
    .optional()
    .describe(
      'Whose run it is: tasks of different teams take turns, whoever has more of them. Unset: each run is its own. Needs a Temporal server with fairness switched on (`matching.enableFairness`).',
    ),
  priority: z
    .int()
    .min(1)
    .max(5)
    .default(3)
    .describe('Which tasks go first, of all teams: 1 before 2, up to 5. A task that runs is left alone.'),
  share: z
    .number()
    .min(0.001)
    .max(1000)
    .default(1)
    .describe('How many turns the team has for each turn of a team of share 1.'),
});
/** Whose turn it is where runs share workers. */
export type SchedulingConfiguration = z.infer<typeof schedulingSchema>;
