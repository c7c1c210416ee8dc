/** Thrown for a bundle name that `bundles.ts` does not have. */
export class UnknownBundle extends Error {
  override readonly name = 'UnknownBundle';
}

/** Thrown when the host does not accept user name and password: that needs a person. */
export class HostCredentialsRefused extends Error {
  override readonly name = 'HostCredentialsRefused';
}

/** Thrown when the host says that it has no such file. */
export class FileMissingOnHost extends Error {
  override readonly name = 'FileMissingOnHost';
}

/** Thrown when what the host answers is not the file, and trying again will not help. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** Thrown when the host could not be reached, or kept failing, for as long as was allowed: later it may work. */
export class HostUnavailable extends Error {
  override readonly name = 'HostUnavailable';
}

/** Thrown when the host's certificate cannot be trusted, or it sends where nothing would prove who answers. */
export class HostUntrusted extends Error {
  override readonly name = 'HostUntrusted';
}

/** Thrown when the disk has no room. Nothing that was there is lost; the step continues once there is. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull';
}

/** Thrown when the host has another version of a file than the one that was fetched. */
export class VolumeChanged extends Error {
  override readonly name = 'VolumeChanged';
}

/** Thrown when the host sends files only whole: pieces of them cannot be asked for. */
export class RangesUnsupported extends Error {
  override readonly name = 'RangesUnsupported';
}

/** Thrown when what was fetched has another SHA-256 than the known one, again and again. */
export class ChecksumDiffers extends Error {
  override readonly name = 'ChecksumDiffers';
}

/** Thrown when a folder cannot be written, for a reason that needs a person. Nothing that was there is lost. */
export class FolderUnusable extends Error {
  override readonly name = 'FolderUnusable';
}

/** Thrown when a disk answers with errors of its own. */
export class DiskFailing extends Error {
  override readonly name = 'DiskFailing';
}
