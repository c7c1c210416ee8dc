import { createHash } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other set-up works on the same cache directory on this machine.
 *
 * The lock is a socket name in the kernel (no file): it is gone with its process, so that a killed set-up leaves nothing
 * to clean up.
 *
 * @template T
 * @param {string} directory
 * @param {() => void} onWait called once if another set-up has the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(directory, onWait, work) {
  const name = `\0tempeh-flow-setup-${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  let waited = false;
  let server = await listen(name);
  while (!server) {
    if (!waited) onWait();
    waited = true;
    await sleep(500);
    server = await listen(name);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

/**
 * @param {string} name
 * @returns {Promise<net.Server | undefined>} nothing when another process listens there
 */
function listen(name) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
