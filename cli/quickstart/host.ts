import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, delimiter, resolve } from 'node:path';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import { startMiniatureHost, type MiniatureHost } from '../../miniature/host/host.js';
import { prepareMiniature } from '../../miniature/prepare.js';
import { miniatureSettings, type MiniaturePreset, type MiniatureSettings } from '../../miniature/settings.js';
import { isPortFree } from '../../infra/services/index.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

export interface ServedMiniature {
  /** `http://127.0.0.1:PORT/download.php` */
  readonly address: string;
  /** Changes with the data that it serves. */
  readonly fingerprint: string;
  /** What the data worker's environment needs. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Which data the generator makes. */
export interface GeneratedData {
  readonly preset: MiniaturePreset;
  readonly changes: Partial<MiniatureSettings>;
  /** Fingerprint of the data of a run that is to be gone on with; null, or left out: none is. */
  readonly interrupted?: string | null;
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
  { preset, changes, interrupted }: GeneratedData,
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<ServedMiniature> {
  const settings = miniatureSettings(preset, changes);
  const { packageDirectory, files, generated, outdated } = await prepareMiniature(folder, settings, {
    interrupted,
    onProgress: (done, total) => report(`generating: ${done} of ${total} frames`),
    signal,
  });
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const kept = outdated
    ? '; the generator has changed since the run began, which keeps its data (--fresh: new ones)'
    : '';
  report(`${generated ? 'generated' : 'there already'}: ${files.length} files, ${Math.round(bytes / 1e6)} MB${kept}`);
  const username = `miniature-${randomBytes(3).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  const port = (await isPortFree(preferredPort)) ? preferredPort : 0;
  const host: MiniatureHost = await startMiniatureHost({ directory: packageDirectory, username, password, port });
  return {
    address: host.address,
    fingerprint: basename(packageDirectory),
    environment: { TEMPEH_HOST: host.address, TEMPEH_USERNAME: username, TEMPEH_PASSWORD: password },
    close: () => host.close(),
  };
}

/** The data that a run trains on. */
export interface LocalData extends Omit<ServedMiniature, 'address'> {
  readonly source: DatasetConfiguration['source'];
}

/** The miniature, generated and served; or a folder of the user's own, which a relative path finds from here. */
export async function provideData(
  source: DatasetConfiguration['source'],
  miniature: GeneratedData & { readonly folder: string; readonly lastPort: number | null },
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<LocalData> {
  if (source.kind === 'bundles') {
    // The last one first: a run that was interrupted names it, and goes on as if nothing had been.
    const port = miniature.lastPort ?? Number(new URL(source.host).port || 80);
    const { address, ...served } = await serveMiniature(miniature.folder, port, miniature, report, signal);
    return { ...served, source: { ...source, host: address } };
  }
  const path = resolve(source.path);
  if (!existsSync(path)) {
    throw new CommandError(`There is no folder ${path} (dataset.source.path).`, exitCodes.usage);
  }
  if (path.includes(delimiter)) {
    throw new CommandError(
      `${path} (dataset.source.path) holds "${delimiter}", which separates folders: give it another name.`,
      exitCodes.usage,
    );
  }
  report(path);
  return {
    source: { ...source, path },
    fingerprint: path,
    environment: { TEMPEH_FOLDERS: path },
    close: async () => undefined,
  };
}
