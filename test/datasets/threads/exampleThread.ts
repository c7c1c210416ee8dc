import { serveThread } from '../../../datasets/threads/serveThread.js';

/** What the test's thread is asked for: a sum, a failure, the end of the thread. */
export type ExampleTask = { readonly add: readonly number[] } | { readonly open: string } | { readonly exit: number };

serveThread<ExampleTask, number, string>((say) => async (task) => {
  if ('add' in task) {
    say('adding');
    return task.add.reduce((sum, value) => sum + value, 0);
  }
  if ('exit' in task) return process.exit(task.exit);
  const { open } = await import('node:fs/promises');
  await open(task.open);
  return 0;
});
