import { createServer, connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** A network of a given rate before a server of this machine; in a thread of its own, for the measured one blocks. */
export interface ThrottleStart {
  readonly port: number;
  readonly bytesPerSecond: number;
}

const { port, bytesPerSecond } = workerData as ThrottleStart;
let freeAt = 0;

function throttle(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    from.pause();
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + (1000 * chunk.length) / bytesPerSecond;
    const pass = (): void => {
      to.write(chunk);
      from.resume();
    };
    // A timer counts in whole milliseconds: what is due within one goes at once.
    if (freeAt - now < 2) pass();
    else setTimeout(pass, freeAt - now);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

const server = createServer((client) => {
  const upstream = connect(port, '127.0.0.1');
  throttle(client, upstream);
  upstream.pipe(client);
  upstream.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port));
