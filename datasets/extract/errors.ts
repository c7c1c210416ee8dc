/** Thrown when a volume is missing or has not the size that it was fetched with. Fetching the bundle again mends it. */
export class VolumeMissing extends Error {
  override readonly name = 'VolumeMissing';
}

/** Thrown when an archive cannot be read: damaged, cut short, or no archive. The message names the volume if it can. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
}

/** Thrown when an archive holds what would be written outside of the target, or links: nothing was written. */
export class ArchiveUnsafe extends Error {
  override readonly name = 'ArchiveUnsafe';
}
