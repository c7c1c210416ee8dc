import type { Agent } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { isThisMachine } from './thisMachine.js';

const agents = new Map<string, Agent>();

/**
 * What a request goes through where the environment names a proxy (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in small
 * letters too); undefined where it does not. Through TLS the proxy sees the host's name and nothing else. This machine is
 * never asked through a proxy.
 */
export function proxyFor(url: URL): Agent | undefined {
  if (isThisMachine(url.hostname)) return undefined;
  const proxy = getProxyForUrl(url.href);
  if (proxy === '') return undefined;
  const key = `${url.protocol} ${proxy}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const agent = url.protocol === 'https:' ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy);
  agents.set(key, agent);
  return agent;
}
