/**
 * `tempeh-flow worker data` whose Temporal workers can be broken. Told so by a message, the SDK's poll loops end with an
 * error, as they do when polls are refused for a minute. With UNMADE in the environment, the worker of the own queue
 * cannot be made.
 */
import { Worker } from '@temporalio/worker';

interface Breakable {
  readonly instantTerminateErrorSubject: { error(cause: Error): void };
}

const workers: Worker[] = [];
const create = Worker.create.bind(Worker);
Worker.create = async (options) => {
  if (process.env['UNMADE'] !== undefined && options.taskQueue?.includes('/')) throw new Error(process.env['UNMADE']);
  const worker = await create(options);
  workers.push(worker);
  return worker;
};
process.on('message', (reason: string) => {
  (workers[0] as unknown as Breakable).instantTerminateErrorSubject.error(new Error(reason));
});
// Else the channel keeps the process alive: nobody reads it to its end.
process.channel?.unref();
await import('../../../cli/main.js');
