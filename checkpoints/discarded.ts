import type { Manifest, ManifestCheckpoint } from './manifest/manifestSchema.js';

/**
 * A manifest that says of objects that they are being deleted, before they are: whoever is killed in between leaves no
 * whole checkpoint that nobody owns.
 *
 * @param names keys of objects that it does not name any more.
 * @param gone keys that have been deleted since it said so.
 */
export function discarding(
  { discarded = [], ...manifest }: Manifest,
  names: readonly string[],
  gone: ReadonlySet<string>,
): Manifest {
  const left = new Set([...discarded.filter((name) => !gone.has(name)), ...names]);
  for (const name of namedObjects(manifest)) left.delete(name);
  return left.size > 0 ? { ...manifest, discarded: [...left].sort() } : manifest;
}

/** What a manifest says to be deleted; never what it says to count. */
export function discardedObjects(manifest: Manifest): string[] {
  const named = namedObjects(manifest);
  return (manifest.discarded ?? []).filter((name) => !named.has(name));
}

export function partKeys({ key, parts }: Pick<ManifestCheckpoint, 'key' | 'parts'>): string[] {
  return Object.keys(parts).map((name) => `${key}/${name}`);
}

function namedObjects({ checkpoints, quarantined, events }: Manifest): Set<string> {
  const whole = [...checkpoints, ...quarantined.flatMap(({ checkpoint }) => checkpoint ?? [])];
  return new Set([...whole.flatMap(partKeys), ...events.map(({ key }) => key)]);
}
