import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from './temporal.js';
import { searchAttributeTypes } from '../configs/temporal.js';
import { grpcCodeOf } from './connection/connectionProblem.js';
import { RunError } from './runError.js';

/** Temporal's numbers for the types of search attributes (`IndexedValueType` of its API). */
const codes = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const;
const grpcCodes = { invalidArgument: 3, permissionDenied: 7, unimplemented: 12, unauthenticated: 16 } as const;

/** Seconds in which each server of a cluster knows what was registered. */
const usableSeconds = 30;

/** The command of Temporal's own that registers them. */
const operatorCommand = (namespace: string): string => {
  const options = Object.entries(searchAttributeTypes).map(([name, type]) => `--name ${name} --type ${type}`);
  return `temporal operator search-attribute create --namespace ${namespace} ${options.join(' ')}`;
};

/**
 * Registers what runs are found by, where the namespace has it not yet.
 *
 * @returns the names that were missing; null where we may not look (then whoever may has to register them).
 * @throws RunError (`refused`) where a name is taken by another type, or registering is not allowed.
 */
export async function ensureSearchAttributes({ connection, options }: Client): Promise<string[] | null> {
  const { namespace } = options;
  let present: Record<string, unknown>;
  try {
    present = (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes ?? {};
  } catch (cause) {
    const { permissionDenied, unimplemented, unauthenticated } = grpcCodes;
    // Temporal Cloud has no such service, and an operator need not grant it: that stops no start.
    if (([permissionDenied, unimplemented, unauthenticated] as unknown[]).includes(grpcCodeOf(cause))) return null;
    throw cause;
  }
  const missing: Record<string, number> = {};
  for (const [name, type] of Object.entries(searchAttributeTypes)) {
    const found = present[name];
    if (found === undefined || found === null) missing[name] = codes[type];
    else if (Number(found) !== codes[type]) {
      const [is] = Object.entries(codes).find(([, code]) => code === Number(found)) ?? [`number ${Number(found)}`];
      const todo = 'Remove it, or use another namespace';
      const message = `The search attribute ${name} of namespace ${namespace} is of type ${is}; expected ${type}. ${todo}.`;
      throw new RunError('refused', message);
    }
  }
  if (Object.keys(missing).length === 0) return [];
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
  } catch (cause) {
    const todo = `Ask its operator for: ${operatorCommand(namespace)}`;
    const why = isGrpcServiceError(cause) ? cause.details : String(cause);
    throw new RunError('refused', `Search attributes cannot be registered in ${namespace} (${why}). ${todo}`, {
      cause,
    });
  }
  return Object.keys(missing);
}

/** Whether Temporal says that it does not know a search attribute (of ours): not registered, or just now. */
export function isUnknownAttribute(error: unknown): boolean {
  if (grpcCodeOf(error) !== grpcCodes.invalidArgument) return false;
  const words = [error, (error as { cause?: unknown }).cause].map((one) => (one instanceof Error ? one.message : ''));
  return /no mapping defined|search attribute/i.test(words.join(' '));
}

/**
 * Does what needs the search attributes, and tries again while the servers do not know them yet: each reads them anew
 * every few seconds.
 *
 * @throws RunError `refused` where they still do not after half a minute.
 */
export async function withSearchAttributes<T>({ options }: Client, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + usableSeconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (!isUnknownAttribute(cause)) throw cause;
      if (performance.now() > until) {
        const { namespace } = options;
        const todo = `Ask its operator for: ${operatorCommand(namespace)}`;
        throw new RunError('refused', `Namespace ${namespace} does not know our search attributes. ${todo}`, { cause });
      }
    }
    await sleep(500);
  }
}

/** Waits until runs can be found by each of them. @throws as `withSearchAttributes` does. */
export async function untilUsable(client: Client): Promise<void> {
  const query = Object.keys(searchAttributeTypes)
    .map((name) => `${name} IS NOT NULL`)
    .join(' OR ');
  const { namespace } = client.options;
  await withSearchAttributes(client, () =>
    client.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 }),
  );
}
