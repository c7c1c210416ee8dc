import type { ClientConfigProfile, ConfigDataSource } from '@temporalio/envconfig';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { existsSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { RunError } from '../runError.js';
import { loadClientConfigProfile } from '../temporal.js';

/** Where Temporal is, and how to log in. */
export interface TemporalSettings {
  /** `host:port` */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
  /** gRPC headers of every request. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether any certificate is taken for the server's. */
  readonly unverified?: true;
}

const defaultAddress = '127.0.0.1:7233';

/**
 * As Temporal's own tools have it: the profile TEMPORAL_PROFILE (or `default`) of the file TEMPORAL_CONFIG_FILE (or
 * `temporalio/temporal.toml` in the user's configuration folder), and over it TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
 * TEMPORAL_API_KEY, TEMPORAL_TLS, TEMPORAL_TLS_…, TEMPORAL_GRPC_META_…. Ours is TEMPORAL_API_KEY_FILE. Files are read
 * at each call: what was renewed is taken.
 *
 * @throws RunError `setting`, naming variable or file.
 */
export function temporalSettings(environment: NodeJS.ProcessEnv = process.env): TemporalSettings {
  // An empty variable counts as one that is not set.
  const variables = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const profile = loadProfile(variables);
  const { address = defaultAddress, namespace = 'default' } = profile;
  const apiKey = variables['TEMPORAL_API_KEY_FILE'] === undefined ? profile.apiKey : apiKeyOf(variables);
  const unverified = switchOf(variables, 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION') === true;
  const tls = tlsOf(profile, variables, apiKey !== undefined || unverified);
  const metadata = Object.entries(profile.grpcMeta ?? {}).map(([name, value]) => [name.replaceAll('_', '-'), value]);
  return {
    address: checkedAddress(address),
    namespace,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls ? { tls } : {}),
    ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) as Record<string, string> }),
    ...(tls && unverified ? { unverified } : {}),
  };
}

/** @throws RunError `setting` for what is no `host` or `host:port`. */
export function checkedAddress(address: string): string {
  const found = /^(?<host>\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(?<port>\d{1,5}))?$/.exec(address)?.groups;
  const port = Number(found?.['port'] ?? 7233);
  if (found !== undefined && port > 0 && port < 65_536) return `${found['host']}:${port}`;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0];
  const why =
    scheme === undefined
      ? 'expected host:port; an IPv6 address in brackets'
      : `expected host:port without ${scheme}; TLS is switched on by TEMPORAL_TLS=true`;
  const places = '--address, TEMPORAL_ADDRESS, or the profile';
  throw new RunError('setting', `The address of Temporal is ${JSON.stringify(address)} (${places}): ${why}.`);
}

function loadProfile(variables: Record<string, string>): ClientConfigProfile {
  const file = variables['TEMPORAL_CONFIG_FILE'];
  if (file !== undefined && !existsSync(file)) {
    throw new RunError('setting', `TEMPORAL_CONFIG_FILE names ${file}, which is not there.`);
  }
  switchOf(variables, 'TEMPORAL_TLS');
  try {
    return loadClientConfigProfile({ overrideEnvVars: variables, disableFile: file === devNull });
  } catch (cause) {
    const where = file ?? 'temporalio/temporal.toml in the user’s configuration folder';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RunError('setting', `The settings of Temporal (TEMPORAL_…, ${where}) cannot be used: ${why}`, { cause });
  }
}

/** A boolean variable. @throws RunError `setting` for any other value: it would be taken for false. */
function switchOf(variables: Record<string, string>, name: string): boolean | undefined {
  const value = variables[name];
  if (value === undefined) return undefined;
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw new RunError('setting', `${name} is ${JSON.stringify(value)}: expected true or false.`);
}

function apiKeyOf(variables: Record<string, string>): string {
  if (variables['TEMPORAL_API_KEY'] !== undefined) {
    throw new RunError('setting', 'TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set: which one counts?');
  }
  const key = read({ path: variables['TEMPORAL_API_KEY_FILE']! }, 'TEMPORAL_API_KEY_FILE').toString('utf8').trim();
  if (key !== '') return key;
  throw new RunError('setting', `TEMPORAL_API_KEY_FILE names ${variables['TEMPORAL_API_KEY_FILE']}, which is empty.`);
}

function tlsOf({ tls }: ClientConfigProfile, variables: Record<string, string>, wanted: boolean): TLSConfig | boolean {
  if (tls === undefined) return wanted;
  if (tls.disabled === true) return false;
  const { serverName, clientCert, clientKey, serverCACert } = tls;
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    const names = 'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or …_DATA; client_cert, client_key)';
    throw new RunError('setting', `${names} go together; only one is set.`);
  }
  const contents = (source: ConfigDataSource, name: string): Buffer =>
    read(source, name in variables ? name : 'The profile of Temporal');
  const settings: TLSConfig = {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(serverCACert === undefined
      ? {}
      : { serverRootCACertificate: contents(serverCACert, 'TEMPORAL_TLS_SERVER_CA_CERT_PATH') }),
    ...(clientCert === undefined || clientKey === undefined
      ? {}
      : {
          clientCertPair: {
            crt: contents(clientCert, 'TEMPORAL_TLS_CLIENT_CERT_PATH'),
            key: contents(clientKey, 'TEMPORAL_TLS_CLIENT_KEY_PATH'),
          },
        }),
  };
  return Object.keys(settings).length === 0 ? true : settings;
}

function read(source: ConfigDataSource, named: string): Buffer {
  if ('data' in source) return Buffer.from(source.data);
  try {
    return readFileSync(source.path);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new RunError('setting', `${named} names ${source.path}, which cannot be read (${why}).`, { cause });
  }
}
