import { once } from 'node:events';
import { request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TemporalSettings } from './connectionSettings.js';
import { hostOf, type Proxy } from './proxy.js';

const patience = 5000;
/** Milliseconds in which a server says that it wants another client certificate: in TLS 1.3 it does so afterwards. */
const secondThoughts = 300;

/** Opens a connection, through the proxy if there is one. @throws the system's error, or an `AbortError` after 5 s. */
export async function openSocket(address: string, proxy: Proxy | null): Promise<Socket> {
  const signal = AbortSignal.timeout(patience);
  if (proxy === null) {
    const socket = connect({ host: hostOf(address), port: portOf(address) });
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
  const { basicAuth } = proxy;
  const auth = basicAuth === undefined ? {} : { auth: `${basicAuth.username}:${basicAuth.password}` };
  const target = { host: hostOf(proxy.address), port: portOf(proxy.address) };
  const asked = request({ ...target, ...auth, method: 'CONNECT', path: address, agent: false, signal });
  asked.end();
  const [answer, socket] = (await once(asked, 'connect')) as [{ statusCode?: number }, Socket];
  if (answer.statusCode === 200) return socket;
  socket.destroy();
  throw new Error(`the proxy answers ${answer.statusCode}`);
}

/** Sets TLS up as the connection would, and closes it again. @throws OpenSSL's error. */
export async function shakeHands(
  { address, tls }: TemporalSettings,
  proxy: Proxy | null,
  verify: boolean,
): Promise<void> {
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === true ? {} : (tls ?? {});
  const name = serverNameOverride ?? hostOf(address);
  const socket = connectTls({
    socket: await openSocket(address, proxy),
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: verify,
    ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
    ...(clientCertPair ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) } : {}),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(patience) });
    const wait = AbortSignal.timeout(secondThoughts);
    await once(socket, 'close', { signal: wait }).catch((error: unknown) => {
      if (!wait.aborted) throw error;
    });
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 7233);
}
