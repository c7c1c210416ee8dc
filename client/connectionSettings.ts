import { readFileSync } from 'node:fs';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';

/** Where Temporal is, and how it lets us in. */
export interface TemporalSettings {
  /** `host:port` */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
}

/**
 * As Temporal's own tools have it: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS (any value but
 * `false`), TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH, TEMPORAL_TLS_SERVER_CA_CERT_PATH.
 *
 * @throws Error naming the variable whose file cannot be read.
 */
export function temporalSettings(environment: NodeJS.ProcessEnv = process.env): TemporalSettings {
  const value = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  const apiKey = value('TEMPORAL_API_KEY');
  const tls = tlsSettings(value);
  return {
    address: value('TEMPORAL_ADDRESS') ?? '127.0.0.1:7233',
    namespace: value('TEMPORAL_NAMESPACE') ?? 'default',
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls ? { tls } : apiKey === undefined ? {} : { tls: true }),
  };
}

function tlsSettings(value: (name: string) => string | undefined): TLSConfig | boolean {
  const file = (name: string) => {
    const path = value(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new Error(`${name} names ${path}, which cannot be read`, { cause });
    }
  };
  const crt = file('TEMPORAL_TLS_CLIENT_CERT_PATH');
  const key = file('TEMPORAL_TLS_CLIENT_KEY_PATH');
  const serverRootCACertificate = file('TEMPORAL_TLS_SERVER_CA_CERT_PATH');
  if ((crt === undefined) !== (key === undefined)) {
    throw new Error('TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH go together; only one is set');
  }
  if (crt !== undefined && key !== undefined) {
    return { clientCertPair: { crt, key }, ...(serverRootCACertificate ? { serverRootCACertificate } : {}) };
  }
  if (serverRootCACertificate) return { serverRootCACertificate };
  const switched = value('TEMPORAL_TLS');
  return switched !== undefined && switched !== 'false';
}
