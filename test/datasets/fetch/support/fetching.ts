import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundlePaths, findBundle } from '../../../../datasets/fetch/bundles.js';
import { fetchBundle, type FetchBundleOptions } from '../../../../datasets/fetch/fetchBundle.js';
import { startMiniatureHost, type MiniatureHost, type MiniatureHostOptions } from '../../../../miniature/host/host.js';
import { temporaryFolder } from '../../../support/temporaryFolder.js';

/** Of this test file, gone at its end. */
export const root = temporaryFolder();
export const credentials = { username: 'somebody@example.org', password: 'p&ss wörd=1' };
/** PATHs of the bundle that is fetched: test-data. */
export const paths = bundlePaths(findBundle('test-data'));
/** One of them. */
export const volume = 'test_data/test_images_4.zip.002';
/** Bytes of each file. */
export const fileSize = 300_000;
/** So that tests do not wait long. Where a host is silent, they say after how many seconds: a busy machine is silent too. */
export const quick = { first: 0.01, longest: 0.05, attempts: 4, stall: 20 };
let folders = 0;

/** A host's folder with the files of test-data, random but for ZIP signatures. */
export async function hostFolder(): Promise<string> {
  const directory = join(root, `host-${folders++}`);
  for (const path of paths) {
    const bytes = randomBytes(fileSize);
    if (/\.zip(\.001)?$/.test(path)) bytes.write('PK\x03\x04', 'latin1');
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), path.endsWith('.json') ? '[["a","b","0001"]]' : bytes);
  }
  return directory;
}

export interface FetchTools {
  readonly host: MiniatureHost;
  /** The host's folder. */
  readonly source: string;
  /** Receives the downloads. */
  readonly directory: string;
  readonly fetchIt: (changes?: Partial<FetchBundleOptions>) => ReturnType<typeof fetchBundle>;
}

/** A host with test-data while `use` runs. */
export async function withHost(
  options: Partial<MiniatureHostOptions>,
  use: (tools: FetchTools) => Promise<void>,
): Promise<void> {
  const source = options.directory ?? (await hostFolder());
  const directory = join(root, `downloads-${folders++}`);
  const host = await startMiniatureHost({ ...credentials, ...options, directory: source });
  const fetchIt = (changes: Partial<FetchBundleOptions> = {}) =>
    fetchBundle({
      host: host.address,
      bundle: 'test-data',
      directory,
      credentials,
      atOnce: 3,
      backOff: quick,
      ...changes,
    });
  try {
    await use({ host, source, directory, fetchIt });
  } finally {
    await host.close();
  }
}

/** What was fetched is the host's, each with its record, and nothing is left over. */
export async function assertSame(source: string, directory: string): Promise<void> {
  for (const path of paths) {
    const [expected, found] = await Promise.all([readFile(join(source, path)), readFile(join(directory, path))]);
    assert.ok(expected.equals(found), path);
    const record = JSON.parse(await readFile(join(directory, `${path}.json`), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      [record['path'], record['size'], record['sha256']],
      [path, expected.length, createHash('sha256').update(expected).digest('hex')],
    );
  }
  const leftOver = (await readdir(directory, { recursive: true })).filter((name) => name.includes('.part'));
  assert.deepEqual(leftOver, []);
}

/** Bytes that the host sent of a file, size probes left out. */
export function bytesSent({ records }: MiniatureHost, path: string): number {
  return records.filter((r) => r.path === path && r.range !== 'bytes=0-3').reduce((sum, r) => sum + r.bytes, 0);
}

export function cut(afterBytes: number) {
  return { kind: 'cut', afterBytes } as const;
}
