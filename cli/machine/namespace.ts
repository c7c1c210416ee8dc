import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowService } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { grpcCodeOf } from '../../client/connection/connectionProblem.js';
import { ensureSearchAttributes, untilUsable } from '../../client/searchAttributes.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { print } from '../terminal/print.js';

interface InitOptions extends ConnectionOptions {
  readonly create: boolean;
  readonly 'retention-days': number;
}

const notFound = 5;

/** Prepares a namespace: what runs are found by is registered, and usable when this returns. @returns the exit code. */
export async function initNamespace({ create, 'retention-days': days, ...options }: InitOptions): Promise<ExitCode> {
  if (!(Number.isInteger(days) && days > 0)) {
    throw new CommandError(`--retention-days ${days}: expected a whole number of days, 1 or more.`, exitCodes.usage);
  }
  return withTemporal(options, async ({ client }) => {
    const { namespace } = client.options;
    if (create && (await createNamespace(client, days))) print(`Made namespace ${namespace}, kept for ${days} days.`);
    const added = await ensureSearchAttributes(client);
    if (added === null) print('We may not look at its search attributes: trying whether they are usable.');
    else print(added.length === 0 ? 'Its search attributes were there.' : `Registered ${added.join(', ')}.`);
    await untilUsable(client);
    print(`Namespace ${namespace} is ready for runs.`);
    return exitCodes.ok;
  });
}

/** The client's, known to the servers when this returns. @returns whether there was none. */
export async function createNamespace({ workflowService, options }: Client, days: number): Promise<boolean> {
  const { namespace } = options;
  try {
    await workflowService.describeNamespace({ namespace });
    return false;
  } catch (error) {
    if (grpcCodeOf(error) !== notFound) throw error;
  }
  await workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(days * 24 * 3600 * 1000),
  });
  await untilKnown(workflowService, namespace);
  return true;
}

/** Each server learns of a new namespace within seconds. */
async function untilKnown(service: WorkflowService, namespace: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await service.listWorkflowExecutions({ namespace, pageSize: 1 });
      return;
    } catch (error) {
      if (grpcCodeOf(error) !== notFound || tries === 60) throw error;
    }
    await sleep(500);
  }
}
