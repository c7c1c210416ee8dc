import { createHash } from 'node:crypto';
import { open as openFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { FormatError, quoted } from '../formatError.js';
import { checkZipDirectory, ZipBudget, type ZipEntry } from '../archives/zipDirectory.js';
import { withCleanUp } from '../../../storage/async/cleanUp.js';

/** Five times those of a published checkpoint with its optimiser. */
const mostMembers = 10_000;

/** A PyTorch file: a ZIP archive whose members are read one by one, for it may be larger than memory. */
export interface PytorchArchive {
  /** Names of its members, without the folder that all of them share. */
  readonly members: readonly string[];
  /** Bytes of the whole file. */
  readonly length: number;
  has(member: string): boolean;
  /** Hex SHA-256 over the names, sizes and checksums of all members: the same for the same content, without reading it. */
  readonly fingerprint: string;
  /** @throws FormatError when there is no such member, or its checksum is wrong */
  read(member: string): Promise<Buffer>;
  close(): void;
}

const openZip = promisify<string, yauzl.Options, ZipFile>(yauzl.open);

/**
 * @throws FormatError for anything but PyTorch's ZIP format; files of before PyTorch 1.6 are told apart
 */
export async function openPytorchArchive(path: string): Promise<PytorchArchive> {
  const length = await refuseOldFormats(path);
  let zip: ZipFile;
  try {
    zip = await openZip(path, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw new FormatError({ file: path, expected: 'a ZIP archive, as torch.save writes it', found: reason(error) });
  }
  let entries: Map<string, Entry>;
  try {
    entries = await listEntries(zip, path);
    checkZipDirectory([...entries.values()].map(asZipEntry), length, path);
  } catch (cause) {
    zip.close();
    throw cause;
  }
  const budget = new ZipBudget(length, path);
  const pickle = [...entries.keys()].find((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  if (pickle === undefined) {
    zip.close();
    const found = [...entries.keys()].slice(0, 3).join(', ') || 'an empty archive';
    throw new FormatError({ file: path, expected: 'a member data.pkl, as torch.save writes it', found });
  }
  const folder = pickle.slice(0, -'data.pkl'.length);
  const members = [...entries.keys()]
    .filter((name) => name.startsWith(folder))
    .map((name) => name.slice(folder.length));
  return {
    members,
    length,
    has: (member) => entries.has(folder + member),
    fingerprint: fingerprintOf(members, (member) => entries.get(folder + member)),
    read: async (member) => {
      const entry = entries.get(folder + member);
      if (!entry) throw new FormatError({ file: path, expected: `a member ${folder}${member}`, found: 'none' });
      budget.take(asZipEntry(entry));
      return readEntry(zip, entry, path);
    },
    close: () => zip.close(),
  };
}

function fingerprintOf(members: readonly string[], entryOf: (member: string) => Entry | undefined): string {
  const hash = createHash('sha256');
  for (const member of [...members].sort()) {
    const entry = entryOf(member);
    hash.update(`${member} ${entry?.uncompressedSize} ${entry?.crc32}\n`);
  }
  return hash.digest('hex');
}

function asZipEntry({ fileName, relativeOffsetOfLocalHeader, compressedSize, uncompressedSize }: Entry): ZipEntry {
  return { name: fileName, offset: relativeOffsetOfLocalHeader, compressed: compressedSize, size: uncompressedSize };
}

/** @returns the file's length. */
async function refuseOldFormats(path: string): Promise<number> {
  const file = await openFile(path, 'r');
  return withCleanUp(
    async () => {
      const head = Buffer.alloc(512);
      const { bytesRead } = await file.read(head, 0, 512, 0);
      if (bytesRead >= 2 && head[0] === 0x50 && head[1] === 0x4b) return (await file.stat()).size;
      const expected = 'the ZIP format of PyTorch 1.6 and later';
      if (bytesRead >= 2 && head[0] === 0x80 && head[1]! <= 5) {
        const found =
          "the older format: load it with PyTorch and save it again, torch.save(torch.load('old.pth', map_location='cpu'), 'new.pth')";
        throw new FormatError({ file: path, expected, found });
      }
      throw new FormatError({ file: path, expected, found: bytesRead === 0 ? 'an empty file' : 'other bytes' });
    },
    () => file.close(),
  );
}

function listEntries(zip: ZipFile, path: string): Promise<Map<string, Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>();
    const refuse = (expected: string, found: string): void => reject(new FormatError({ file: path, expected, found }));
    if (zip.entryCount > mostMembers) return refuse(`at most ${mostMembers} members`, `${zip.entryCount}`);
    zip.on('entry', (entry: Entry) => {
      if (entries.has(entry.fileName)) return refuse('each member once', `${quoted(entry.fileName)} again`);
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.once('end', () => resolve(entries));
    zip.once('error', (error: unknown) => {
      refuse('a sound ZIP directory', reason(error));
    });
    zip.readEntry();
    return undefined;
  });
}

async function readEntry(zip: ZipFile, entry: Entry, path: string): Promise<Buffer> {
  const where = `member ${entry.fileName}`;
  const chunks: Buffer[] = [];
  try {
    const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new FormatError({ file: path, where, expected: `${entry.uncompressedSize} bytes`, found: reason(error) });
  }
  const bytes = Buffer.concat(chunks);
  if (crc32(bytes) !== entry.crc32) {
    throw new FormatError({ file: path, where, expected: 'its checksum', found: 'another (the file is damaged)' });
  }
  return bytes;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
