import { printable } from '../../text/printable.js';
import { findWrongNames } from './checkNames.js';
import { ArchiveUnsafe } from './errors.js';
import { archiveDamaged } from './explainFailure.js';
import { joinedSize, type Volume } from './joinedVolumes.js';
import { NameCensus } from './nameCensus.js';
import { listArchive, type ArchiveMember } from './sevenZip.js';

const mostOdd = 100_000;
/** Deflate gives 1032 bytes for one at most. */
const largestExpansion = 1100;
/** Bytes: what is smaller does no harm. */
const smallestBomb = 1_000_000_000;

/** What an archive holds, in figures. */
export interface ArchiveContents {
  readonly files: number;
  /** Unpacked. */
  readonly bytes: number;
}

/**
 * Reads an archive's directory, and refuses what must not be written: names that leave the target, links, encrypted
 * members, control characters in names. Other names that are odd are reported, and kept as they are.
 *
 * @param volumes in their order.
 * @param onNote is called with what the user should know.
 * @throws ArchiveUnsafe, ArchiveDamaged, SevenZipFailed
 */
export async function inspectArchive(
  volumes: readonly Volume[],
  onNote: (message: string) => void,
  signal?: AbortSignal,
): Promise<ArchiveContents> {
  const archive = volumes[0]!.file;
  let files = 0;
  let bytes = 0;
  let archives = 0;
  const refused: string[] = [];
  const odd: string[] = [];
  await listArchive(
    archive,
    (member) => {
      const problem = problemOf(member);
      if (problem !== null && refused.length < 5) refused.push(`"${printable(member.path, 200)}" ${problem}`);
      if (member.folder) {
        if (member.size > 0 && odd.length < mostOdd) odd.push(member.path);
        return;
      }
      files++;
      bytes += member.size;
      if (isArchive(member.path)) archives++;
    },
    signal,
  );
  const census = new NameCensus();
  const wrongNames = await findWrongNames(volumes, census, signal);
  if (census.isEmpty) await censusOfList(archive, census, signal);
  refused.push(...census.refused);
  if (files > 0 && archives === files) {
    refused.push(
      `it holds nothing but ${files === 1 ? 'another archive' : `${files} archives`}, which are not unpacked`,
    );
  }
  if (bytes > largestExpansion * joinedSize(volumes) && bytes > smallestBomb) {
    refused.push(`its members are ${bytes} bytes, more than any compression gives: they overlap`);
  }
  if (refused.length > 0) {
    throw new ArchiveUnsafe(
      `${archive} is not extracted: ${refused.join('; ')}. Expected plain files that stay below the target. ` +
        `This is not the published archive: find out where it comes from.`,
    );
  }
  if (wrongNames.length > 0 || odd.length > 0) {
    const said = `${wrongNames.length + odd.length} members have another name in the directory than in their own header`;
    throw await archiveDamaged({ members: odd, spans: wrongNames, said }, volumes);
  }
  for (const note of census.notes) onNote(`${volumes[0]!.path}: ${note}.`);
  return { files, bytes };
}

/** By its name, a volume of a split one too. */
function isArchive(path: string): boolean {
  return /\.(zip|7z|tar|tgz|txz|rar|gz|xz|bz2|zst)(\.\d{3})?$/i.test(path);
}

/** The names of an archive that is no ZIP archive, as 7-Zip lists them. */
async function censusOfList(archive: string, census: NameCensus, signal: AbortSignal | undefined): Promise<void> {
  const eachFile = (look: (name: Buffer) => void): Promise<void> =>
    listArchive(archive, ({ path, folder }) => (folder ? undefined : look(Buffer.from(path))), signal);
  await eachFile((name) => census.add(name));
  if (census.mustLookAgain) await eachFile((name) => census.addAgain(name));
}

/** Why a member must not be written; null if it may. */
export function problemOf(member: Pick<ArchiveMember, 'path' | 'special' | 'encrypted'>): string | null {
  const { path } = member;
  const parts = path.split(/[/\\]/);
  if (path === '' || path.includes('\0')) return 'is not a name';
  if (/^[/\\]/.test(path) || /^[A-Za-z]:/.test(path)) return 'is an absolute path';
  if (parts.includes('..')) return 'leaves the target';
  if (member.special) return 'is a link, a device or an order to delete';
  if (member.encrypted) return 'is encrypted';
  return null;
}
