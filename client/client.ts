import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { searchAttributeTypes } from '../configs/temporal.js';
import type { TemporalSettings } from './connectionSettings.js';

/** Thrown when a run cannot be started, found or steered; the message says what to do. */
export class RunError extends Error {
  override readonly name = 'RunError';
  constructor(
    readonly reason: 'not-found' | 'already-running' | 'not-running' | 'refused' | 'unreachable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A client for the command line; close its `connection` when done.
 *
 * @throws RunError (`unreachable`) if Temporal does not answer within seconds.
 */
export async function connectClient({ address, namespace, apiKey, tls }: TemporalSettings): Promise<Client> {
  try {
    await reachable(address);
    const connection = await Connection.connect({
      address,
      connectTimeout: '5 seconds',
      ...(apiKey ? { apiKey } : {}),
      ...(tls ? { tls } : {}),
    });
    return new Client({ connection, namespace });
  } catch (cause) {
    const todo = 'Start it (tempeh-flow dev), or set TEMPORAL_ADDRESS';
    throw new RunError('unreachable', `Temporal does not answer at ${address}. ${todo}.`, { cause });
  }
}

/** gRPC tries on for seconds where nothing listens: this says so at once. */
async function reachable(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
  } finally {
    socket.destroy();
  }
}

/** Temporal's numbers for the types of search attributes (`IndexedValueType` of its API). */
const codes = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const;

/**
 * Registers what runs are found by, where the namespace has it not yet.
 *
 * @throws RunError (`refused`) where a name is taken by another type, or registering is not allowed.
 */
export async function ensureSearchAttributes({ connection, options }: Client): Promise<void> {
  const { namespace } = options;
  const present = await connection.operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, number> = {};
  for (const [name, type] of Object.entries(searchAttributeTypes)) {
    const found = present.customAttributes?.[name];
    if (found === undefined || found === null) missing[name] = codes[type];
    else if (Number(found) !== codes[type]) {
      const [is] = Object.entries(codes).find(([, code]) => code === Number(found)) ?? [String(found)];
      const todo = 'Remove it, or use another namespace';
      const message = `The search attribute ${name} of namespace ${namespace} is of type ${is}; expected ${type}. ${todo}.`;
      throw new RunError('refused', message);
    }
  }
  if (Object.keys(missing).length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
  } catch (cause) {
    const commands = Object.entries(searchAttributeTypes).map(([name, type]) => `--name ${name} --type ${type}`);
    const todo = `Ask its operator for: temporal operator search-attribute create ${commands.join(' ')}`;
    const why = isGrpcServiceError(cause) ? cause.details : String(cause);
    throw new RunError('refused', `Search attributes cannot be registered in ${namespace} (${why}). ${todo}`, {
      cause,
    });
  }
}
