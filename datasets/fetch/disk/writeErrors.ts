import { printable } from '../../../text/printable.js';
import { DiskFailing, DiskFull, FolderUnusable } from '../errors.js';

/** What the system says of a write that failed: what it is, and what to do. */
const folderFaults: Readonly<Record<string, string>> = {
  EACCES: 'this process may not write there. Give its user the permission, or name another folder',
  EPERM: 'this process may not write there. Give its user the permission, or name another folder',
  EROFS: 'its file system is read-only. Mount it for writing, or name another folder',
  ENAMETOOLONG: 'the name is too long for its file system. Name another folder, with a shorter path or on another disk',
  EILSEQ: 'its file system does not take such a name. Name a folder on another disk',
  ENOTDIR: 'a file stands where a folder must be. Move it away',
  EISDIR: 'a folder stands where a file must be. Move it away',
  EEXIST: 'something else has this name. Move it away',
  ENOTEMPTY: 'a folder that is not empty has this name. Move it away',
  ELOOP: 'links lead in a circle there. Name another folder',
  EFBIG:
    'its file system, or a limit of this process (ulimit -f), takes no file so large. Name a folder on another disk',
  EMFILE: 'this process may open no more files. Raise its limit (ulimit -n)',
};

/**
 * The error of a write that failed, reported as what it means; the same error where nothing is known of it.
 *
 * @param file that was to be written.
 */
export function explainWriteError(error: unknown, file: string): unknown {
  const { code = '', path } = error as NodeJS.ErrnoException & { path?: string };
  const name = printable(path ?? file, 1000);
  const cause = { cause: error };
  if (code === 'ENOSPC') {
    return new DiskFull(
      `The disk is full: ${name} could not be written on. Make room, and resume: what is there is kept.`,
      cause,
    );
  }
  if (code === 'EDQUOT') {
    const message = `The disk quota of this user is used up: ${name} could not be written on. Make room or raise it, and resume: what is there is kept.`;
    return new DiskFull(message, cause);
  }
  if (code === 'EIO' || code === 'ESTALE' || code === 'ENXIO' || code === 'ENODEV') {
    return new DiskFailing(
      `The disk of ${name} fails (${code}): look at the system's log (dmesg). It is the disk, not the data: nothing need be fetched again.`,
      cause,
    );
  }
  const fault = folderFaults[code];
  if (fault === undefined) return error;
  return new FolderUnusable(`${name} cannot be written: ${fault}, and resume. Nothing need be fetched again.`, cause);
}
