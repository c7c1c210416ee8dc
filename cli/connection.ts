import type { Client } from '@temporalio/client';
import type { Argv } from 'yargs';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { findLocalServices, type LocalServices } from './machine/services.js';
import { readJson, type Workspace } from './machine/workspace.js';

/** How a command finds Temporal. */
export interface ConnectionOptions {
  address: string | undefined;
  namespace: string | undefined;
}

/** Adds the options of commands that talk to Temporal. */
export function withConnectionOptions<T>(yargs: Argv<T>): Argv<T & ConnectionOptions> {
  return yargs
    .option('address', {
      type: 'string',
      describe: 'Temporal, host:port [default: TEMPORAL_ADDRESS; else what npm start or dev runs; else 127.0.0.1:7233]',
    })
    .option('namespace', { type: 'string', describe: 'Of Temporal [default: TEMPORAL_NAMESPACE, or default]' });
}

export interface Connected {
  readonly client: Client;
  /** The web page of a workflow; null where it is not known where the page is. */
  readonly pageOf: (workflowId: string) => string | null;
}

/**
 * Connects to Temporal for the time of some work: by option, by environment, or to what `npm start` or `dev` runs here.
 *
 * @throws CommandError (exit code 3) where none answers.
 */
export async function withTemporal<T>(
  options: ConnectionOptions,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const local = localServices(options);
  const [{ connectClient }, { temporalSettings }] = await Promise.all([
    import('../client/client.js'),
    import('../client/connectionSettings.js'),
  ]);
  const settings = temporalSettings();
  const address = options.address ?? local?.temporal.address ?? settings.address;
  const namespace = options.namespace ?? local?.temporal.namespace ?? settings.namespace;
  const client = await orCommandError(connectClient({ ...settings, address, namespace }));
  const page = local?.temporal.uiUrl ?? process.env['TEMPORAL_UI_URL'] ?? null;
  try {
    return await orCommandError(
      work({ client, pageOf: (id) => (page === null ? null : workflowPage(page, namespace, id)) }),
    );
  } finally {
    await client.connection.close();
  }
}

/** Services of this machine, unless an option or the environment names others. */
function localServices(options: ConnectionOptions): LocalServices | null {
  if (options.address !== undefined || process.env['TEMPORAL_ADDRESS']) return null;
  return findLocalServices();
}

export function workflowPage(uiUrl: string, namespace: string, workflowId: string): string {
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Gives errors of the client the exit code that scripts can act on. */
async function orCommandError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RunError') throw error;
    const { reason } = error as Error & { reason?: string };
    throw new CommandError(error.message, reason === 'unreachable' ? exitCodes.unreachable : exitCodes.failed, {
      ...(reason === 'unreachable' ? {} : { cause: error.cause }),
    });
  }
}

/**
 * Lets this process use the object store of the services that run here, unless the environment names another: the
 * AWS variables are set, for us and our children.
 *
 * @returns where that store is; null where it is not used.
 */
export function useLocalObjectStore(space?: Workspace): LocalServices['objectStore'] | null {
  if (process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ACCESS_KEY_ID'] || process.env['AWS_PROFILE']) return null;
  const local = findLocalServices(space);
  if (local === null) return null;
  Object.assign(process.env, objectStoreEnvironment(local.objectStore));
  return local.objectStore;
}

/** The AWS variables for an object store whose credentials lie in a file. */
export function objectStoreEnvironment(objectStore: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentialsFile: string;
}): Record<string, string> {
  const credentials = readJson<{ accessKeyId: string; secretAccessKey: string }>(objectStore.credentialsFile);
  if (credentials === null)
    throw new CommandError(`${objectStore.credentialsFile} cannot be read.`, exitCodes.unreachable);
  return {
    AWS_ENDPOINT_URL_S3: objectStore.endpoint,
    AWS_REGION: objectStore.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
