import { ConfigurationError } from './configurationError.js';
import { queuesNamed, type TaskQueues } from './temporal.js';

/** Says what the names of task queues begin with, to workers and commands alike. */
const queuePrefixVariable = 'TEMPEH_QUEUE_PREFIX';

/**
 * The task queues that this process works on and starts runs on: those of teams that share a namespace may have names of
 * their own.
 *
 * @throws ConfigurationError for a prefix that is none.
 */
export function taskQueues(environment: NodeJS.ProcessEnv = process.env): TaskQueues {
  const prefix = environment[queuePrefixVariable] ?? '';
  if (/^[A-Za-z0-9._-]{0,60}$/.test(prefix)) return queuesNamed(prefix);
  const expected = 'letters, digits, dots, dashes and underscores, 60 at most';
  const problem = {
    where: queuePrefixVariable,
    setting: '',
    found: JSON.stringify(prefix),
    expected: `expected ${expected}`,
  };
  throw new ConfigurationError([problem]);
}
