import type { Agent } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { proxyFor as proxyNamedFor } from '../../../network/proxyVariables.js';

const agents = new Map<string, Agent>();

/**
 * What a request goes through where the environment names a proxy (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in small
 * letters too); undefined where it does not. Through TLS the proxy sees the host's name and nothing else. This machine is
 * never asked through a proxy.
 */
export function proxyFor(url: URL): Agent | undefined {
  const scheme = url.protocol.slice(0, -1);
  const port = Number(url.port || (scheme === 'https' ? 443 : 80));
  const proxy = proxyNamedFor([scheme], url.hostname, port)?.url.href;
  if (proxy === undefined) return undefined;
  const key = `${url.protocol} ${proxy}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const agent = url.protocol === 'https:' ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy);
  agents.set(key, agent);
  return agent;
}
