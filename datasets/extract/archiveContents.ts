import { ArchiveUnsafe } from './errors.js';
import { listArchive, type ArchiveMember } from './sevenZip.js';

/** What an archive holds, in figures. */
export interface ArchiveContents {
  readonly files: number;
  /** Unpacked. */
  readonly bytes: number;
}

/**
 * Reads an archive's directory, and refuses what must not be written: names that leave the target, links, encrypted
 * members, and names that differ in case alone are taken as they are.
 *
 * @param archive the first volume.
 * @throws ArchiveUnsafe, SevenZipFailed
 */
export async function inspectArchive(archive: string, signal?: AbortSignal): Promise<ArchiveContents> {
  let files = 0;
  let bytes = 0;
  const refused: string[] = [];
  await listArchive(
    archive,
    (member) => {
      const problem = problemOf(member);
      if (problem !== null && refused.length < 5) refused.push(`"${member.path.slice(0, 200)}" ${problem}`);
      if (member.folder) return;
      files++;
      bytes += member.size;
    },
    signal,
  );
  if (refused.length > 0) {
    throw new ArchiveUnsafe(
      `${archive} is not extracted: ${refused.join('; ')}. Expected plain files that stay below the target. ` +
        `This is not the published archive: find out where it comes from.`,
    );
  }
  return { files, bytes };
}

/** Why a member must not be written; null if it may. */
export function problemOf(member: Pick<ArchiveMember, 'path' | 'special' | 'encrypted'>): string | null {
  const { path } = member;
  const parts = path.split(/[/\\]/);
  if (path === '' || path.includes('\0')) return 'is no name';
  if (/^[/\\]/.test(path) || /^[A-Za-z]:/.test(path)) return 'is an absolute path';
  if (parts.includes('..')) return 'leaves the target';
  if (member.special) return 'is a link or a device';
  if (member.encrypted) return 'is encrypted';
  return null;
}

/** The members whose data lie (in part) in a range of bytes of the joined archive, and the volumes that hold a member. */
export function volumesOfMember(
  member: Pick<ArchiveMember, 'offset' | 'packedSize'>,
  volumeSizes: readonly number[],
): number[] {
  if (member.offset === null) return [];
  const end = member.offset + Math.max(1, member.packedSize);
  const found: number[] = [];
  let start = 0;
  for (const [index, size] of volumeSizes.entries()) {
    if (start < end && start + size > member.offset) found.push(index);
    start += size;
  }
  return found;
}
