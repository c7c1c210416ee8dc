import { once } from 'node:events';
import net from 'node:net';

/** The only address that embedded services listen on. */
export const loopback = '127.0.0.1';

/** Whether a service could listen on this port of the loopback address now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = net.createServer();
  try {
    server.listen({ host: loopback, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/**
 * Ports for a service: the preferred ones where they are free, any free ones otherwise; all different.
 *
 * @param preferred 0 asks for any
 */
export async function choosePorts(preferred: readonly number[]): Promise<number[]> {
  const chosen: number[] = [];
  for (const port of preferred) {
    if (port !== 0 && !chosen.includes(port) && (await isPortFree(port))) chosen.push(port);
    else chosen.push(await anyFreePort(chosen));
  }
  return chosen;
}

async function anyFreePort(taken: readonly number[]): Promise<number> {
  for (;;) {
    const server = net.createServer().listen({ host: loopback, port: 0 });
    await once(server, 'listening');
    const address = server.address();
    server.close();
    if (address !== null && typeof address !== 'string' && !taken.includes(address.port)) return address.port;
  }
}
