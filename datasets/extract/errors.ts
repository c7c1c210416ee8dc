/** Thrown when a volume is missing or has not the size that it was fetched with. Fetching the bundle again repairs it. */
export class VolumeMissing extends Error {
  override readonly name = 'VolumeMissing';
}

/** Bytes of the joined volumes of an archive, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What is known of an archive's damage. */
export interface Damage {
  /** Members that could not be read; empty if none can be named: then the archive as a whole is suspect. */
  readonly members: readonly string[];
  /** Where the damage may be: the likeliest and smallest first. */
  readonly suspects: readonly (readonly Span[])[];
}

/** Thrown when an archive cannot be read: damaged, cut short, or no archive. The message names the volume if it can. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
  constructor(
    message: string,
    readonly damage: Damage,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Thrown when an archive holds what would be written outside of the target, or links: nothing was written. */
export class ArchiveUnsafe extends Error {
  override readonly name = 'ArchiveUnsafe';
}
