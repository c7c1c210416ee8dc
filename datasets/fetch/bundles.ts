import { published, type BundleArchive, type BundleFile, type PublishedDownload } from './published.js';
import { UnknownBundle } from './errors.js';

export type { BundleArchive, BundleFile } from './published.js';

/** What is fetched, and extracted, as one. */
export interface Bundle {
  readonly name: string;
  /** What it is, human-readable. */
  readonly description: string;
  readonly archives: readonly BundleArchive[];
  readonly files: readonly BundleFile[];
}

/** @throws UnknownBundle naming the known ones. */
export function findBundle(name: string): Bundle {
  const bundle = Object.hasOwn(published.bundles, name) ? published.bundles[name] : undefined;
  if (bundle) return { name, ...bundle };
  const known = Object.keys(published.bundles).join(', ');
  throw new UnknownBundle(`There is no bundle "${name}". Name one of: ${known} (dataset.source.bundles).`);
}

/** What `tempeh-flow fetch` offers by a name. @throws UnknownBundle */
export function findDownload(name: string): PublishedDownload {
  const download = Object.hasOwn(published.downloads, name) ? published.downloads[name] : undefined;
  if (download) return download;
  throw new UnknownBundle(
    `There is no download "${name}". Name one of: ${Object.keys(published.downloads).join(', ')}.`,
  );
}

/** PATHs of an archive's volumes, in their order. */
export function volumePaths({ path, volumes }: Pick<BundleArchive, 'path' | 'volumes'>): string[] {
  if (volumes === null) return [path];
  return Array.from({ length: volumes }, (_, i) => `${path}.${String(i + 1).padStart(3, '0')}`);
}

/** All PATHs of a bundle; small files first, so that a wrong setting shows at once. */
export function bundlePaths(bundle: Bundle): string[] {
  return [...bundle.files.map(({ path }) => path), ...bundle.archives.flatMap(volumePaths)];
}
