import { mapLimited } from '../../storage/async/mapLimited.js';
import { joinedSize, JoinedReader, findDirectory, type Volume } from './joinedVolumes.js';
import type { Span } from './errors.js';
import type { NameCensus } from './nameCensus.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;
const blockSize = 1 << 22;
const readsAtOnce = 32;
/** Of headers that differ: an archive of nothing else is not repaired by pieces. */
const mostWrong = 100_000;

/** A member as the directory of a ZIP archive has it: what its own header must repeat. */
interface DirectoryEntry {
  readonly name: Buffer;
  /** UTF-8 names, encryption, … */
  readonly flags: number;
  readonly method: number;
  /** Where the member's own header begins in the joined archive. */
  readonly offset: number;
}

/**
 * Compares each member's name in the directory with that in its own header. Checksums cover contents only, and 7-Zip
 * does not compare names: a flipped bit would put a file under another name, silently.
 *
 * @param census is given all names.
 * @returns the headers that differ; empty if all are right, or it is no ZIP archive with a directory.
 */
export async function findWrongNames(
  volumes: readonly Volume[],
  census: NameCensus,
  signal?: AbortSignal,
): Promise<Span[]> {
  const directory = await findDirectory(volumes);
  if (directory === null) return [];
  const reader = await JoinedReader.open(volumes);
  const wrong: Span[] = [];
  const compare = async (entry: DirectoryEntry): Promise<void> => {
    const length = 30 + entry.name.length;
    const header = await reader.read(entry.offset, length);
    if (repeats(header, entry) || wrong.length === mostWrong) return;
    wrong.push({ start: entry.offset, end: entry.offset + length });
  };
  return withCleanUp(
    async () => {
      await mapLimited(entriesOf(reader, directory, joinedSize(volumes)), readsAtOnce, async (entry) => {
        signal?.throwIfAborted();
        census.add(entry.name);
        await compare(entry);
      });
      if (census.mustLookAgain) {
        for await (const { name } of entriesOf(reader, directory, joinedSize(volumes))) census.addAgain(name);
      }
      return wrong;
    },
    () => reader.close(),
  );
}

function repeats(header: Buffer, { name, flags, method }: DirectoryEntry): boolean {
  return (
    header.length === 30 + name.length &&
    header.readUInt32LE(0) === localSignature &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === method &&
    header.readUInt16LE(26) === name.length &&
    header.subarray(30).equals(name)
  );
}

/** The directory's entries, as far as it can be read: what is wrong with it otherwise, 7-Zip reports. */
async function* entriesOf(reader: JoinedReader, start: number, end: number): AsyncGenerator<DirectoryEntry> {
  let block = Buffer.alloc(0);
  let at = 0;
  let position = start;
  const need = async (length: number): Promise<boolean> => {
    if (block.length - at >= length) return true;
    const more = await reader.read(position, Math.min(blockSize, end - position));
    position += more.length;
    block = Buffer.concat([block.subarray(at), more]);
    at = 0;
    return block.length >= length;
  };
  while ((await need(46)) && block.readUInt32LE(at) === directorySignature) {
    const nameLength = block.readUInt16LE(at + 28);
    const extraLength = block.readUInt16LE(at + 30);
    const length = 46 + nameLength + extraLength + block.readUInt16LE(at + 32);
    if (!(await need(length))) return;
    const record = block.subarray(at, at + length);
    yield {
      name: Buffer.from(record.subarray(46, 46 + nameLength)),
      flags: record.readUInt16LE(8),
      method: record.readUInt16LE(10),
      offset: offsetOf(record, record.subarray(46 + nameLength, 46 + nameLength + extraLength)),
    };
    at += length;
  }
}

const zip64Tag = 1;
const inZip64 = 0xffffffff;

/** In archives beyond 4 GB it stands in an extra field, after the sizes that do not fit either. */
function offsetOf(record: Buffer, extra: Buffer): number {
  const offset = record.readUInt32LE(42);
  if (offset !== inZip64) return offset;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== zip64Tag) continue;
    const sizes = [24, 20].filter((field) => record.readUInt32LE(field) === inZip64).length;
    const place = at + 4 + 8 * sizes;
    if (place + 8 <= extra.length) return Number(extra.readBigUInt64LE(place));
  }
  return offset;
}
