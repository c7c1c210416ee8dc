import type { Client } from '@temporalio/client';
import type { TemporalSettings } from '../client/connection/connectionSettings.js';
import type { Argv } from 'yargs';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { findLocalServices, lastServices, type LocalServices } from './machine/services.js';
import { readJson, workspace, type Workspace } from './machine/workspace.js';
import { withCleanUp } from '../storage/async/cleanUp.js';

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
      describe:
        'Temporal, host:port [default: TEMPORAL_ADDRESS or the profile TEMPORAL_PROFILE; else what npm start or dev runs; else the default profile, or 127.0.0.1:7233]',
    })
    .option('namespace', { type: 'string', describe: 'Of Temporal [default: TEMPORAL_NAMESPACE, or default]' });
}

export interface Connected {
  readonly client: Client;
  /**
   * For who watches for hours: asks over a connection with the certificates and the key that their files have by then, and
   * again where there is no answer for a while. null once the signal has come.
   */
  readonly ask: Ask;
  /** The web page of a workflow; null where it is not known where the page is. */
  readonly pageOf: (workflowId: string) => string | null;
}

export type Ask = <T>(question: (client: Client) => Promise<T>, signal: AbortSignal) => Promise<T | null>;

/** The server that a command is about. */
export interface ChosenServer {
  readonly settings: TemporalSettings;
  /** Its web page; null where that is not known. */
  readonly uiUrl: string | null;
}

/**
 * The server that a command is about: by option, by environment (TEMPORAL_ADDRESS, TEMPORAL_PROFILE), what `npm start` or
 * `dev` runs here, or by the default profile. What runs here needs neither TLS nor key. Files are read at each call.
 *
 * @throws RunError `setting`
 * @throws CommandError where what ran here is stopped, and nothing names another server.
 */
export async function chooseServer({ address, namespace }: ConnectionOptions): Promise<ChosenServer> {
  const { checkedAddress, temporalSettings } = await import('../client/connection/connectionSettings.js');
  const named = address !== undefined || process.env['TEMPORAL_ADDRESS'] || process.env['TEMPORAL_PROFILE'];
  const local = named ? null : findLocalServices();
  if (local !== null) {
    const { temporal } = local;
    const settings = { address: temporal.address, namespace: namespace ?? temporal.namespace };
    return { settings, uiUrl: temporal.uiUrl };
  }
  const settings = temporalSettings();
  if (!named && settings.address === usualAddress) refuseStrangers();
  return {
    settings: {
      ...settings,
      ...(address === undefined ? {} : { address: checkedAddress(address) }),
      ...(namespace === undefined ? {} : { namespace }),
    },
    uiUrl: process.env['TEMPORAL_UI_URL']?.replace(/\/+$/, '') || null,
  };
}

/** Where Temporal's own tools look when nothing names a server. */
const usualAddress = '127.0.0.1:7233';

/**
 * Where `npm start` has run and is stopped, whoever listens on the usual port is another clone's or project's server: a run of
 * theirs must not be shown, or cancelled, as one of ours.
 */
function refuseStrangers(): void {
  const stopped = lastServices();
  if (stopped === null) return;
  const { directory } = workspace();
  throw new CommandError(
    `Nothing runs here: what ${stopped.purpose === 'dev' ? 'tempeh-flow dev' : 'npm start'} ran in ${directory} is stopped. ` +
      `npm start goes on with it, npx tempeh-flow dev starts its servers alone; --address ${usualAddress} asks the server there.`,
    exitCodes.unreachable,
  );
}

/**
 * Connects to Temporal for the time of some work.
 *
 * @throws CommandError: exit code 3 where none answers, 2 where a setting has to be changed.
 */
export async function withTemporal<T>(
  options: ConnectionOptions,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const { settings, uiUrl } = await orCommandError(chooseServer(options));
  const { connectClient } = await import('../client/connection/client.js');
  const { explainRefusal } = await import('../client/connection/connectionProblem.js');
  const { LastingClient } = await import('./lastingClient.js');
  const client = await orCommandError(connectClient(settings));
  const lasting = new LastingClient({
    client,
    settings,
    read: async () => (await chooseServer(options)).settings,
    warn: (message) => process.stderr.write(`${message}\n`),
  });
  const { namespace } = settings;
  const pageOf = (id: string): string | null => (uiUrl === null ? null : workflowPage(uiUrl, namespace, id));
  const explained = async (): Promise<T> => {
    try {
      return await work({ client, pageOf, ask: (question, signal) => lasting.ask(question, signal) });
    } catch (error) {
      throw explainRefusal(settings, error) ?? error;
    }
  };
  return withCleanUp(
    async () => {
      return await orCommandError(explained());
    },
    () => lasting.close(),
  );
}

export function workflowPage(uiUrl: string, namespace: string, workflowId: string): string {
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Gives errors of the client the exit code that scripts can act on. */
export async function orCommandError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RunError') throw error;
    throw asCommandError(error);
  }
}

/** The message says it all: what gRPC or OpenSSL said is shown by --verbose. */
function asCommandError(error: Error): CommandError {
  const { reason } = error as Error & { reason?: string };
  const plain = reason === 'unreachable' || reason === 'setting';
  const code =
    reason === 'unreachable' ? exitCodes.unreachable : reason === 'setting' ? exitCodes.usage : exitCodes.failed;
  const verbose = process.argv.includes('--verbose');
  return new CommandError(error.message, code, plain && !verbose ? {} : { cause: error.cause });
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
