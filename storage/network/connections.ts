import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type AgentOptions, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Agent, type AgentConnectOpts } from 'agent-base';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { namesProxy, proxyFor, ProxyUnusable, type Proxy } from '../../network/proxyVariables.js';
import { StoreUnsuitable } from '../types.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** How to connect to a store, and to the services that give out credentials for it. */
export interface Connections {
  readonly httpAgent: HttpAgent | AgentOptions;
  readonly httpsAgent: HttpAgent | AgentOptions;
  /** Whether the environment asks for anything (proxies, authorities of its own). */
  readonly isPlain: boolean;
}

const common = { maxSockets: 64, keepAlive: true } as const;

/**
 * Connections as a worker's environment wants them: through the proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` but
 * for `NO_PROXY`, and with the authorities of `AWS_CA_BUNDLE` (a file of PEM certificates) in place of the usual ones, as
 * other tools of AWS have it.
 *
 * @throws StoreUnsuitable for a bundle that cannot be read or holds no certificate.
 */
export function connectionsOf(environment: Environment = process.env): Connections {
  const bundle = environment['AWS_CA_BUNDLE'] ?? '';
  const isPlain = bundle === '' && !namesProxy(environment);
  if (isPlain) return { httpAgent: common, httpsAgent: common, isPlain };
  const options = bundle === '' ? common : { ...common, ca: readBundle(bundle) };
  return {
    httpAgent: new RoutingAgent(false, options, environment),
    httpsAgent: new RoutingAgent(true, options, environment),
    isPlain,
  };
}

function readBundle(path: string): string {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new StoreUnsuitable(`AWS_CA_BUNDLE names ${path}, which cannot be read (${why}).`, { cause });
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new StoreUnsuitable(`AWS_CA_BUNDLE names ${path}, which holds no certificate in PEM (BEGIN CERTIFICATE).`);
}

/** Hands each request to the agent that goes its way: straight, or through a proxy. */
class RoutingAgent extends Agent {
  private readonly agents = new Map<string, HttpAgent>();

  constructor(
    private readonly isSecure: boolean,
    private readonly connection: AgentOptions & { readonly ca?: string },
    private readonly environment: Environment,
  ) {
    super({ keepAlive: true });
  }

  override isSecureEndpoint(): boolean {
    return this.isSecure;
  }

  override async connect(_request: ClientRequest, { host = 'localhost', port }: AgentConnectOpts): Promise<HttpAgent> {
    const proxy = this.proxyFor(host, Number(port));
    const name = proxy?.url.href ?? 'straight';
    const agent = this.agents.get(name) ?? this.open(proxy);
    this.agents.set(name, agent);
    return agent;
  }

  override destroy(): void {
    for (const agent of this.agents.values()) agent.destroy();
    super.destroy();
  }

  private proxyFor(host: string, port: number): Proxy | null {
    try {
      return proxyFor([this.isSecure ? 'https' : 'http'], host, port, this.environment);
    } catch (cause) {
      throw cause instanceof ProxyUnusable ? new StoreUnsuitable(cause.message, { cause }) : cause;
    }
  }

  private open(proxy: Proxy | null): HttpAgent {
    if (proxy === null) return this.isSecure ? new HttpsAgent(this.connection) : new HttpAgent(this.connection);
    const agent: Agent = this.isSecure
      ? new HttpsProxyAgent(proxy.url, this.connection)
      : new HttpProxyAgent(proxy.url, this.connection);
    const connect = agent.connect.bind(agent);
    agent.connect = async (request, options) => {
      try {
        // It has the agent's authorities for a proxy that speaks TLS itself, but not for what lies behind.
        return await connect(request, { ...options, ...(this.connection.ca && { ca: this.connection.ca }) });
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        const where = `the proxy ${proxy.url.host} (${proxy.variable})`;
        throw Object.assign(new Error(`${where} cannot be connected to: ${message || code}`, { cause }), { code });
      }
    };
    return agent;
  }
}
