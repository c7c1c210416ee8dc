import { BlockList, isIP } from 'node:net';
import { getProxyForUrl } from 'proxy-from-env';
import { RunError } from '../runError.js';

/** An HTTP proxy that connections go through, by CONNECT. */
export interface Proxy {
  /** `host:port` */
  readonly address: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The proxy that the environment has for an address, as gRPC and Go look for it: `grpc_proxy`, `https_proxy`,
 * `http_proxy`, `all_proxy` (or in capitals), unless `no_proxy` names the host. null: none. This machine itself is never
 * reached by a proxy.
 *
 * @param address `host:port`
 * @throws RunError `setting` for a proxy that cannot be used.
 */
export function proxyFor(address: string): Proxy | null {
  const host = hostOf(address);
  if (host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)) return null;
  const found = ['grpc', 'https', 'http'].map((scheme) => getProxyForUrl(`${scheme}://${address}`)).find(Boolean);
  if (found === undefined) return null;
  // Without a scheme it got that of the address.
  const url = URL.parse(found.replace(/^(grpc|https):\/\/(?=[^/]*$)/, 'http://'));
  if (url?.protocol !== 'http:' || url.hostname === '') {
    const shown = found.replace(/\/\/[^@/]*@/, '//…@');
    throw new RunError('setting', `The proxy for ${address} is ${shown} (…_proxy): expected http://host:port.`);
  }
  const { username, password } = url;
  return {
    address: `${url.hostname}:${url.port || '80'}`,
    ...(username === ''
      ? {}
      : { basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }),
  };
}

/** Of `host:port`, brackets of IPv6 left out. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
