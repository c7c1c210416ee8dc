import { constants } from 'node:os';
import { basename, dirname } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { printable } from '../../text/printable.js';
import { DiskFull } from '../fetch/errors.js';
import { explainWriteError } from '../fetch/disk/writeErrors.js';
import { ArchiveDamaged, ArchiveUnsafe, type Damage, type Span } from './errors.js';
import { findDirectory, joinedSize, partsOf, type Volume } from './joinedVolumes.js';
import { listArchive, SevenZipFailed, type ArchiveMember } from './sevenZip.js';

const mostNamed = 3;
/** Bytes before a member's data, its name left out: the header and its extra fields. */
const headerBytes = 30 + 1024;
const firstBytes = 1 << 20;

/** What a failure of 7-Zip means: the disk is full, or the archive is damaged, and where. */
export async function explainFailure(error: unknown, volumes: readonly Volume[]): Promise<unknown> {
  if (!(error instanceof SevenZipFailed)) return error;
  const said = error.lines.filter((line) => !/^errors?:?$/i.test(line)).join('; ');
  const first = volumes[0]?.file ?? '';
  const unwritten = await writeFault(error.lines);
  if (unwritten !== null) return explainWriteError(unwritten, unwritten.path ?? first);
  if (/no space left|not enough space|disk full/i.test(said)) {
    return new DiskFull(`The disk became full while ${first} was extracted. Make room, and resume.`, { cause: error });
  }
  if (/encrypted archive|wrong password/i.test(said)) {
    return new ArchiveUnsafe(
      `${first} is not extracted: it is encrypted. This is not the published archive: find out where it comes from.`,
      { cause: error },
    );
  }
  if (error.exitCode === 8) return new Error(`7-Zip had not enough memory for ${first}.`, { cause: error });
  if (error.exitCode === null) return new Error(`7-Zip was killed while it read ${first}.`, { cause: error });
  const members = error.lines
    .map(
      (line) =>
        /(?:CRC Failed|Data Error|Headers Error|Unexpected end of data|Unavailable data)[^:]*: (.*)$/i.exec(line)?.[1],
    )
    .filter((path) => path !== undefined);
  return archiveDamaged({ members, said: said || `7-Zip ended with ${error.exitCode}` }, volumes, error);
}

/**
 * The system's error where 7-Zip could not write: its lines name the file and a number. A folder that could not be made
 * shows as the next error only, so the same is tried again.
 */
async function writeFault(lines: readonly string[]): Promise<NodeJS.ErrnoException | null> {
  for (const line of lines) {
    const [, number, path] = /Cannot [a-z ]*output[a-z ]* : errno=(\d+) : [^:]* : (.*)$/i.exec(line) ?? [];
    if (number === undefined || path === undefined) continue;
    const fault = Object.assign(new Error(line), { code: codeOf(Number(number)), path });
    if (fault.code !== 'ENOENT' && fault.code !== 'EEXIST') return fault;
    return makeFolder(dirname(path)).then(
      () => fault,
      (error: unknown) => error as NodeJS.ErrnoException,
    );
  }
  return null;
}

function codeOf(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
}

/** What shows that an archive is damaged. */
interface Symptoms {
  /** The members that cannot be read. */
  readonly members: readonly string[];
  /** Where else damage shows. */
  readonly spans?: readonly Span[];
  /** The contents are not in doubt. */
  readonly headersOnly?: boolean;
  readonly said: string;
}

export async function archiveDamaged(
  symptoms: Symptoms,
  volumes: readonly Volume[],
  cause?: unknown,
): Promise<ArchiveDamaged> {
  const { members, said } = symptoms;
  const damage = { members, suspects: await suspectSpans(symptoms, volumes) };
  const what =
    members.length > 0
      ? `${printable(members.slice(0, mostNamed).join(', '), 600)} cannot be read`
      : printable(said, 600);
  const suspects = new Set(partsOf(damage.suspects[0] ?? [], volumes).map(({ volume }) => volume));
  const where = suspects.size > 0 && suspects.size <= mostNamed ? [...suspects] : [];
  const named = where.map(({ file }) => basename(file)).join(' or ');
  const mend = (where.length > 0 ? where : volumes).map(({ file }) => file).slice(0, mostNamed);
  const message =
    `${volumes[0]?.file} is damaged: ${what}.${named === '' ? '' : ` The damage is in ${named}.`} ` +
    `Delete ${mend.join(', ')} with the .json beside it, and fetch the bundle again.`;
  return new ArchiveDamaged(message, damage, { cause });
}

/** First the members themselves, then the directory and the start, which tells what the file is; then everything. */
async function suspectSpans(
  { members, spans = [], headersOnly = false }: Symptoms,
  volumes: readonly Volume[],
): Promise<Damage['suspects']> {
  const size = joinedSize(volumes);
  const directory = await findDirectory(volumes);
  const suspects: Span[][] = [];
  const found = [...spans, ...(members.length === 0 ? [] : await spansOf(new Set(members), volumes))];
  if (found.length > 0) suspects.push(found);
  const first = { start: 0, end: Math.min(size, firstBytes) };
  const last = { start: size - (volumes.at(-1)?.size ?? 0), end: size };
  suspects.push(...(directory === null ? [[last], [first]] : [[first, { start: directory, end: size }]]));
  // Where members can be named, the damage cannot be in the others.
  if (found.length === 0 && !headersOnly) suspects.push([{ start: 0, end: size }]);
  return suspects;
}

async function spansOf(members: ReadonlySet<string>, volumes: readonly Volume[]): Promise<Span[]> {
  const spans: Span[] = [];
  const size = joinedSize(volumes);
  const note = ({ path, offset, packedSize }: ArchiveMember) => {
    if (offset === null || !members.has(path)) return;
    const end = offset + headerBytes + Buffer.byteLength(path) + packedSize;
    spans.push({ start: offset, end: Math.min(size, end) });
  };
  try {
    await listArchive(volumes[0]!.file, note);
  } catch {
    // The directory is damaged too; what it still said is worth a look.
  }
  return spans;
}
