import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A TCP proxy in front of a server, which loses an answer: the server has carried the request out, but the client never
 * hears of it.
 */
export interface AnswerLosingProxy {
  readonly port: number;
  /** The answer to the next request whose first bytes match is lost. */
  loseAnswerTo(request: RegExp): void;
  /** Answers that were lost. */
  readonly lost: number;
  close(): Promise<void>;
}

export async function answerLosingProxy(port: number): Promise<AnswerLosingProxy> {
  let wanted: RegExp | null = null;
  let lost = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let losing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (wanted?.test(String(chunk.subarray(0, 500)))) {
        wanted = null;
        losing = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      // The server's leave to send the body is no answer yet.
      if (losing && !/^HTTP\/1\.1 100/.test(String(chunk.subarray(0, 20)))) {
        lost++;
        client.destroy();
        return;
      }
      client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    loseAnswerTo: (request) => (wanted = request),
    get lost() {
      return lost;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
