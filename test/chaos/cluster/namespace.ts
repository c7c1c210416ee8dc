import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { canMount } from './managedWorker.js';

const marker = 'TEMPEH_CHAOS_NAMESPACE';

/** Whether this process may mount disks that are gone when it is. */
export const hasNamespace = process.env[marker] === '1';

/** Runs this program again where it may mount disks, and ends as that does. Does nothing where that cannot be, or is so. */
export async function enterNamespace(): Promise<void> {
  if (hasNamespace || canMount === undefined) return;
  const args = [canMount, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [marker]: '1' } });
  // A Ctrl-C reaches both.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exit(code ?? 1);
}

/** A disk of so many bytes on a folder. @returns what takes it away again */
export function mountDisk(folder: string, bytes: number): () => void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  if (status !== 0) throw new Error(`No disk can be mounted on ${folder}: ${stderr.toString()}`);
  return () => void spawnSync('umount', ['-l', folder]);
}
