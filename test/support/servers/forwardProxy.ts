import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A proxy as companies have it: tunnels (CONNECT), and plain requests with whole addresses. */
export interface ForwardProxy {
  readonly url: string;
  /** `CONNECT host:port`, `GET http://host:port/…`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * @param resolve the port on this machine where a host that does not exist is found.
 * @param password `user:password` that it wants.
 */
export async function forwardProxy(resolve: (host: string) => number, password?: string): Promise<ForwardProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const expected = password && `Basic ${Buffer.from(password).toString('base64')}`;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { hostname, pathname, search } = new URL(request.url!);
    const { 'proxy-authorization': given, 'proxy-connection': _, ...headers } = request.headers;
    if (expected !== undefined && given !== expected) {
      response.writeHead(407).end();
      return;
    }
    const options = { host: '127.0.0.1', port: resolve(hostname), method: request.method, headers };
    const upstream = sendRequest({ ...options, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  server.on('connect', (request, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${request.url}`);
    client.on('error', () => undefined);
    if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const upstream = connect(resolve(request.url!.split(':')[0]!), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    sockets.add(upstream);
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${password === undefined ? '' : `${password}@`}127.0.0.1:${port}`,
    asked,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
