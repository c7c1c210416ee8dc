import { proxyFor as proxyNamedFor, ProxyUnusable } from '../../network/proxyVariables.js';
import { RunError } from '../runError.js';

/** An HTTP proxy that connections go through, by CONNECT. */
export interface Proxy {
  /** `host:port` */
  readonly address: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

/**
 * The proxy that the environment has for an address, as gRPC and Go look for it: `grpc_proxy`, `https_proxy`,
 * `http_proxy`, `all_proxy` (or in capitals), unless `no_proxy` names the host. null: none. This machine itself is never
 * reached by a proxy.
 *
 * @param address `host:port`
 * @throws RunError `setting` for a proxy that cannot be used.
 */
export function proxyFor(address: string): Proxy | null {
  const found = orRunError(address, () => {
    const proxy = proxyNamedFor(['grpc', 'https', 'http'], hostOf(address), portOf(address));
    if (proxy !== null && proxy.url.protocol !== 'http:') throw new ProxyUnusable(proxy.variable, 'http://HOST:PORT');
    return proxy;
  });
  if (found === null) return null;
  const { username, password, hostname, port } = found.url;
  return {
    address: `${hostname}:${port || '80'}`,
    ...(username === ''
      ? {}
      : { basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }),
  };
}

/** The host of `host:port`, without IPv6's brackets. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 443);
}

function orRunError<T>(address: string, find: () => T): T {
  try {
    return find();
  } catch (cause) {
    if (!(cause instanceof ProxyUnusable)) throw cause;
    throw new RunError(
      'setting',
      `${cause.message} It is looked for to reach ${address}; NO_PROXY names what goes straight.`,
    );
  }
}
