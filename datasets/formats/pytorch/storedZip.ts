import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** PyTorch maps storages into memory where they begin at multiples of so many bytes. */
const alignment = 64;
const largest = 0xffffffff;
/** 1980-01-01: the same members give the same bytes. */
const date = 0x0021;

interface Written {
  readonly name: Buffer;
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

/**
 * Writes a ZIP archive whose members are stored, not compressed, each at an aligned place, as `torch.save` lays them out.
 * The file appears whole or not at all.
 *
 * @param members are asked for one after the other; their names are ASCII.
 * @throws RangeError beyond 4 GiB, four times what a model with its optimiser takes.
 */
export async function writeStoredZip(path: string, members: Iterable<readonly [string, Uint8Array]>): Promise<void> {
  const partial = `${path}.partial-${process.pid}`;
  const file = await open(partial, 'w');
  try {
    await writeMembers(file, path, members);
    await file.sync();
  } catch (cause) {
    await file.close();
    await rm(partial, { force: true });
    throw cause;
  }
  await file.close();
  await rename(partial, path);
}

async function writeMembers(
  file: FileHandle,
  path: string,
  members: Iterable<readonly [string, Uint8Array]>,
): Promise<void> {
  const written: Written[] = [];
  let offset = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
    offset += bytes.length;
    if (offset > largest) throw new RangeError(`${path}: more than 4 GiB do not fit into a ZIP archive of this kind`);
  };
  for (const [text, body] of members) {
    const name = Buffer.from(text, 'latin1');
    const entry = { name, offset, size: body.length, checksum: crc32(body) };
    written.push(entry);
    await write(localHeader(entry));
    await write(body);
  }
  const start = offset;
  for (const entry of written) await write(directoryEntry(entry));
  await write(directoryEnd(written.length, start, offset - start));
}

function localHeader({ name, offset, size, checksum }: Written): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(checksum, 14);
  head.writeUInt32LE(size, 18);
  head.writeUInt32LE(size, 22);
  head.writeUInt16LE(name.length, 26);
  // An extra field of PyTorch's own kind fills up to the next aligned place.
  const unpadded = offset + head.length + name.length + 4;
  const padding = Buffer.alloc(4 + ((alignment - (unpadded % alignment)) % alignment), 'Z');
  padding.write('FB', 0);
  padding.writeUInt16LE(padding.length - 4, 2);
  head.writeUInt16LE(padding.length, 28);
  return Buffer.concat([head, name, padding]);
}

function directoryEntry({ name, offset, size, checksum }: Written): Buffer {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(20, 4);
  entry.writeUInt16LE(20, 6);
  entry.writeUInt16LE(date, 14);
  entry.writeUInt32LE(checksum, 16);
  entry.writeUInt32LE(size, 20);
  entry.writeUInt32LE(size, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt32LE(offset, 42);
  return Buffer.concat([entry, name]);
}

function directoryEnd(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}
