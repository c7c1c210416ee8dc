import { BlockList, isIP, isIPv6 } from 'node:net';

/** A proxy, and the variable of the environment that names it. */
export interface Proxy {
  readonly url: URL;
  readonly variable: string;
}

/** Thrown for a variable that names no proxy. The message leaves out its value, which may contain a password. */
export class ProxyUnusable extends Error {
  override readonly name = 'ProxyUnusable';
  constructor(
    readonly variable: string,
    expected = 'http://HOST:PORT, or https://HOST:PORT',
  ) {
    super(`${variable} does not name a proxy: expected ${expected}.`);
  }
}

export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** This machine, and the addresses at which clouds hand out credentials: no proxy can reach them for us. */
const own = new BlockList();
own.addSubnet('127.0.0.0', 8);
own.addAddress('0.0.0.0');
own.addSubnet('169.254.0.0', 16);
own.addAddress('::1', 'ipv6');
own.addAddress('::', 'ipv6');
own.addSubnet('fe80::', 10, 'ipv6');

/**
 * The proxy that a connection goes through, as curl looks for it: `SCHEME_proxy` of the first scheme that has one, else
 * `all_proxy`, each in lower case first. Never for this machine itself, nor for what `NO_PROXY` names: names (with all
 * below them), addresses, ranges of addresses (`10.0.0.0/8`), any of them with a port, or `*`.
 *
 * The one place that reads these variables: for Temporal, object stores and hosts of data alike. `proxy-from-env` knows
 * neither ranges, which clusters are configured with, nor names below a plain name.
 *
 * @param schemes of what is asked: `['https']`.
 * @param host a name or an address; brackets of IPv6 may be left out.
 * @returns null where the connection goes straight.
 * @throws ProxyUnusable for a proxy that is no http(s) address.
 */
export function proxyFor(
  schemes: readonly string[],
  host: string,
  port: number,
  environment: ProxyEnvironment = process.env,
): Proxy | null {
  const variable = [...schemes, 'all']
    .flatMap((scheme) => [`${scheme}_proxy`, `${scheme}_proxy`.toUpperCase()])
    .find((name) => (environment[name] ?? '') !== '');
  const bare = host.replace(/^\[|\]$/g, '');
  if (variable === undefined || isOwn(bare) || isExempt(bare, port, environment)) return null;
  const named = environment[variable] ?? '';
  const address = named.includes('://') ? named : `http://${named}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new ProxyUnusable(variable);
  }
  return { url, variable };
}

/** Whether any proxy is named at all. */
export function namesProxy(environment: ProxyEnvironment = process.env): boolean {
  return ['http_proxy', 'https_proxy', 'all_proxy'].some((name) => {
    return (environment[name] ?? environment[name.toUpperCase()] ?? '') !== '';
  });
}

function isOwn(host: string): boolean {
  if (isIP(host) !== 0) return own.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
  return /(^|\.)localhost\.?$/i.test(host);
}

function isExempt(host: string, port: number, environment: ProxyEnvironment): boolean {
  const entries = (environment['no_proxy'] || environment['NO_PROXY'] || '').toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => entry !== '' && covers(entry, host.toLowerCase(), port));
}

function covers(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const [, subnet, bits] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
  if (subnet !== undefined) return isWithin(host, subnet, Number(bits));
  const withPort = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry);
  if (withPort && Number(withPort[2]) !== port) return false;
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isWithin(host: string, subnet: string, bits: number): boolean {
  const family = isIP(subnet);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(subnet, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
