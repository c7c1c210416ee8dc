import { identify, isRunning, type ProcessIdentity } from '../../infra/services/processIdentity.js';
import { readJson, workspace, writeJson, type Workspace } from './workspace.js';

/** Services that `npm start` or `tempeh-flow dev` runs now, for other commands to find. No secret. */
export interface LocalServices {
  /** Ends all of them when it ends. */
  readonly owner: ProcessIdentity;
  readonly purpose: 'quickstart' | 'dev';
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl: string };
  readonly objectStore: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly credentialsFile: string;
  };
  /** The miniature's host, where it runs. */
  readonly host: { readonly url: string } | null;
}

/** The services that run in a workspace; null where none do. */
export function findLocalServices(space: Workspace = workspace()): LocalServices | null {
  const found = lastServices(space);
  return found !== null && isRunning(found.owner) ? found : null;
}

/** The services that `npm start` or `dev` ran in a workspace the last time, whether or not they still run. */
export function lastServices(space: Workspace = workspace()): LocalServices | null {
  return readJson<LocalServices>(space.services);
}

/** Lets other commands find the services of this process. Only what they need: the services' objects hold credentials. */
export function announceServices(
  space: Workspace,
  purpose: LocalServices['purpose'],
  temporal: LocalServices['temporal'],
  objectStore: LocalServices['objectStore'],
  host: LocalServices['host'] = null,
): void {
  const owner = identify(process.pid);
  if (owner === undefined) return;
  const { address, namespace, uiUrl } = temporal;
  const { endpoint, region, bucket, credentialsFile } = objectStore;
  writeJson(space.services, {
    owner,
    purpose,
    temporal: { address, namespace, uiUrl },
    objectStore: { endpoint, region, bucket, credentialsFile },
    host: host === null ? null : { url: host.url },
  } satisfies LocalServices);
}

/** The port that an address names, `127.0.0.1:7233` or a URL; null where it names none. */
export function portOf(address: string | undefined): number | null {
  return Number(/:(\d+)(?:\/|$)/.exec(address ?? '')?.[1]) || null;
}
