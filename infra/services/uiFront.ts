import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { loopback } from './ports.js';

/** Where the pages really come from. */
export interface UiTarget {
  readonly host: string;
  readonly port: number;
}

/** Stands before a web page of this machine that believes whoever asks. */
export interface UiFront {
  readonly port: number;
  /** Passes requests on to it from now on. */
  aim(target: UiTarget): void;
  close(): Promise<void>;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/**
 * Serves Temporal's web page on the loopback address to a person who opened it there, and to nobody else. The page's own
 * server takes any Host header: a web site whose name is made to point to this machine (DNS rebinding) could start
 * workflows by it, from the browser of whoever visits it.
 *
 * @param preferredPort another one is taken where it is in use; 0 for any.
 */
export async function startUiFront(preferredPort: number): Promise<UiFront> {
  let target: UiTarget | undefined;
  const server = http.createServer((request, response) => {
    const refusal = refusalOf(request, (server.address() as AddressInfo).port);
    if (refusal !== null) answer(response, 403, refusal);
    else if (target === undefined) answer(response, 503, 'Temporal is starting.');
    else passOn(request, response, target);
  });
  await listen(server, preferredPort).catch(() => listen(server, 0));
  return {
    port: (server.address() as AddressInfo).port,
    aim: (where) => void (target = where),
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Why a request is not passed on; null if it is. */
function refusalOf({ method = 'GET', headers }: http.IncomingMessage, port: number): string | null {
  const own = [loopback, 'localhost'].map((name) => `${name}:${port}`);
  if (!own.includes(headers.host ?? '')) return 'This page is served under its own address only.';
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return 'Another site asks for this.';
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  // Following a link to the page does no harm.
  const isVisit =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (!isOwn && !isVisit) return 'Another site asks for this.';
  // Browsers say who asks, wherever something is changed.
  if (method !== 'GET' && method !== 'HEAD' && headers.origin === undefined)
    return 'Only its own pages change anything.';
  return null;
}

function passOn(request: http.IncomingMessage, response: http.ServerResponse, { host, port }: UiTarget): void {
  const { method, url: path, headers } = request;
  const onward = http.request({ host, port, method, path, headers, agent }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
    answered.pipe(response);
    answered.on('error', () => response.destroy());
  });
  onward.on('error', () => {
    if (response.headersSent) response.destroy();
    else answer(response, 502, 'Temporal does not answer.');
  });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

function answer(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

async function listen(server: http.Server, port: number): Promise<void> {
  server.listen({ host: loopback, port, exclusive: true });
  await once(server, 'listening');
}
