import { basename } from 'node:path';
import { DiskFull } from '../fetch/errors.js';
import { volumesOfMember } from './archiveContents.js';
import { ArchiveDamaged } from './errors.js';
import { listArchive, SevenZipFailed } from './sevenZip.js';

const mostNamed = 3;

/**
 * What a failure of 7-Zip means: the disk is full, or which volumes hold the members that it could not read.
 *
 * @param volumes the archive's files, in their order.
 */
export async function explainFailure(
  error: unknown,
  volumes: readonly { readonly file: string; readonly size: number }[],
): Promise<unknown> {
  if (!(error instanceof SevenZipFailed)) return error;
  const said = error.lines.join('; ');
  const first = volumes[0]?.file ?? '';
  if (/no space left|not enough space|disk full/i.test(said)) {
    return new DiskFull(`The disk became full while ${first} was extracted. Make room, and resume.`, { cause: error });
  }
  if (error.exitCode === 8) return new Error(`7-Zip had not enough memory for ${first}.`, { cause: error });
  if (error.exitCode === null) return new Error(`7-Zip was killed while it read ${first}.`, { cause: error });
  const members = error.lines
    .map((line) => /(?:CRC Failed|Data Error|Headers Error|Unexpected end of data)[^:]*: (.*)$/i.exec(line)?.[1])
    .filter((path) => path !== undefined);
  // A ZIP archive's directory is at its end.
  const endIsGone = /unexpected end of archive|cannot open the file as|is not archive/i.test(said);
  const suspects = endIsGone
    ? volumes.slice(-1).map(({ file }) => file)
    : await suspectVolumes(first, new Set(members), volumes);
  const what = members.length > 0 ? `${members.slice(0, mostNamed).join(', ')} cannot be read` : said;
  const where = suspects.length > 0 ? ` The damage is in ${suspects.map((file) => basename(file)).join(' or ')}.` : '';
  const mend = (suspects.length > 0 ? suspects : volumes.map(({ file }) => file)).slice(0, mostNamed).join(', ');
  return new ArchiveDamaged(
    `${first} is damaged: ${what || `7-Zip ended with ${error.exitCode}`}.${where} Delete ${mend} with the ` +
      `.json beside it, and fetch the bundle again.`,
    { cause: error },
  );
}

async function suspectVolumes(
  archive: string,
  members: ReadonlySet<string>,
  volumes: readonly { readonly file: string; readonly size: number }[],
): Promise<string[]> {
  if (members.size === 0) return [];
  const found = new Set<number>();
  const sizes = volumes.map(({ size }) => size);
  try {
    await listArchive(archive, (member) => {
      if (members.has(member.path)) for (const index of volumesOfMember(member, sizes)) found.add(index);
    });
  } catch {
    // The directory itself is damaged: it is at the end.
    return [];
  }
  return [...found].sort((a, b) => a - b).map((index) => volumes[index]!.file);
}
