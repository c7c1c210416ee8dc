import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { startMiniatureHost, type MiniatureHost } from '../../datasets/miniature/host.js';
import { prepareMiniature } from '../../datasets/miniature/prepare.js';
import { miniatureSettings, type MiniatureSettings } from '../../datasets/miniature/settings.js';
import { isPortFree } from '../../infra/services/index.js';

export interface ServedMiniature {
  /** `http://127.0.0.1:PORT/download.php` */
  readonly address: string;
  /** Changes with the data that it serves. */
  readonly fingerprint: string;
  /** What the data worker's environment needs. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Generates the miniature, or finds it, and serves it as the published host serves the real data: behind a user name and
 * password, made up for this time.
 *
 * @param folder keeps the generated data.
 * @param preferredPort another one is taken where it is in use.
 */
export async function serveMiniature(
  folder: string,
  preferredPort: number,
  changes: Partial<MiniatureSettings>,
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<ServedMiniature> {
  const settings = miniatureSettings('miniature', changes);
  const { packageDirectory, files, generated } = await prepareMiniature(folder, settings, {
    onProgress: (done, total) => report(`generating: ${done} of ${total} frames`),
    signal,
  });
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  report(`${generated ? 'generated' : 'there already'}: ${files.length} files, ${Math.round(bytes / 1e6)} MB`);
  const username = `miniature-${randomBytes(3).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  const port = (await isPortFree(preferredPort)) ? preferredPort : 0;
  const host: MiniatureHost = await startMiniatureHost({ directory: packageDirectory, username, password, port });
  return {
    address: host.address,
    fingerprint: basename(packageDirectory),
    environment: { TEMPEH_USERNAME: username, TEMPEH_PASSWORD: password },
    close: () => host.close(),
  };
}
