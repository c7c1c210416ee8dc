import { readFile, stat, writeFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { volumePaths, type Bundle, type BundleArchive } from '../fetch/bundles.js';
import { sizeOf } from '../fetch/disk/sidecar.js';

/** Beside the data, hidden: what was extracted from which volumes, and what is being extracted. */
export const stateFolder = '.extracted';

const markerSchema = z.object({
  files: z.int().nonnegative(),
  bytes: z.number().nonnegative(),
  /** Hex SHA-256 of each. */
  volumes: z.array(z.string()),
});

/** What is noted of an archive once all of it is in its place. */
export type Marker = Readonly<z.infer<typeof markerSchema>>;

/** Archives have a marker for each folder that they are extracted into. */
export function markerName({ target, content, path }: BundleArchive): string {
  return [target, content, path].join('/').replaceAll('/', '~');
}

/** null where it was not extracted, or what was extracted is not there any more. */
export async function readMarker(archive: BundleArchive, extracted: string): Promise<Marker | null> {
  try {
    const text = await readFile(join(extracted, stateFolder, `${markerName(archive)}.json`), 'utf8');
    await stat(join(extracted, archive.target, archive.content));
    return markerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export async function writeMarker(archive: BundleArchive, marker: Marker, extracted: string): Promise<void> {
  const file = join(extracted, stateFolder, `${markerName(archive)}.json`);
  await writeFile(`${file}.new`, JSON.stringify(marker));
  await rename(`${file}.new`, file);
}

/** PATHs of a bundle that extraction has still to read: archives that are extracted may have lost their volumes since. */
export async function unextractedPaths(bundle: Bundle, extracted: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { path, target } of bundle.files) {
    if ((await sizeOf(join(extracted, target))) === null) paths.push(path);
  }
  for (const archive of bundle.archives) {
    if ((await readMarker(archive, extracted)) === null) paths.push(...volumePaths(archive));
  }
  return paths;
}
