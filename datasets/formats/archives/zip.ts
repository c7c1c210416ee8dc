import { isUtf8 } from 'node:buffer';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { FormatError, quoted } from '../formatError.js';
import { checkZipDirectory, ZipBudget, type ZipEntry } from './zipDirectory.js';

/** A file inside a ZIP archive that is held in memory. */
export interface ZipMember {
  readonly name: string;
  readonly bytes: Buffer;
}

const endSignature = 0x06054b50;
const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;
/** Deflate cannot make more than this out of one byte: a larger declared size is a lie. */
const largestDeflateRatio = 1032;

/** A small ZIP archive in memory; its members are inflated when they are asked for. */
export interface ZipReader {
  readonly names: readonly string[];
  /** @throws FormatError naming the member: damaged, or none of this name */
  read(name: string): Buffer;
}

/**
 * Opens a small ZIP archive (an `.npz`): stored and deflated members, with their checksums verified. Large archives go
 * through 7-Zip (`datasets/extract`). Not a library's: fflate verifies no checksum, yauzl (which reads `.pth` files here)
 * makes promises of what is in memory already.
 * @throws FormatError naming the member or byte
 */
export function openZip(bytes: Uint8Array, file: string): ZipReader {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > archive.length) {
    throw new FormatError({
      file,
      expected: 'a ZIP archive with its directory at the end',
      found: archive.length === 0 ? 'an empty file' : `none in ${archive.length} bytes (cut short, or another format)`,
    });
  }
  const count = archive.readUInt16LE(end + 10);
  let offset = archive.readUInt32LE(end + 16);
  const members = new Map<string, Member>();
  const listed: Member[] = [];
  for (let index = 0; index < count; index++) {
    const record = need(archive, offset, 46, file, 'a directory record');
    if (record.readUInt32LE(0) !== directorySignature) {
      throw new FormatError({ file, where: `byte ${offset}`, expected: 'a directory record', found: 'other bytes' });
    }
    const nameLength = record.readUInt16LE(28);
    const name = memberName(need(archive, offset + 46, nameLength, file, 'a file name'), record, file, offset);
    const [compressed, size] = [record.readUInt32LE(20), record.readUInt32LE(24)];
    const member = { name, record, compressed, size, offset: record.readUInt32LE(42) };
    members.set(name, member);
    listed.push(member);
    offset += 46 + nameLength + record.readUInt16LE(30) + record.readUInt16LE(32);
  }
  checkZipDirectory(listed, archive.length, file);
  const budget = new ZipBudget(archive.length, file);
  return {
    names: [...members.keys()],
    read: (name) => {
      const member = members.get(name);
      if (member === undefined) {
        throw new FormatError({ file, expected: `a member ${quoted(name)}`, found: 'none' });
      }
      return memberBytes(archive, member, file, budget);
    },
  };
}

interface Member extends ZipEntry {
  /** Its record in the directory. */
  readonly record: Buffer;
}

/** In UTF-8 where its flag says so; else in an old code page, of which only ASCII is sure. */
function memberName(name: Buffer, record: Buffer, file: string, offset: number): string {
  if ((record.readUInt16LE(8) & 0x0800) === 0) return name.toString('latin1');
  if (isUtf8(name)) return name.toString('utf8');
  const found = quoted(name.toString('latin1'));
  throw new FormatError({ file, where: `byte ${offset}`, expected: 'a name in UTF-8', found });
}

/** Writes members into one ZIP archive, deflated where that makes them smaller (or all stored, on demand). */
export function writeZip(members: readonly ZipMember[], options: { store?: boolean } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const deflated = options.store ? member.bytes : deflateRawSync(member.bytes);
    const stored = deflated.length >= member.bytes.length;
    const data = stored ? member.bytes : deflated;
    const name = Buffer.from(member.name, 'utf8');
    // What the local header and the directory record share: version, flags (names in UTF-8), method, a fixed date, sums.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(0x00210000, 6);
    common.writeUInt32LE(crc32(member.bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(member.bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(localSignature);
    parts.push(local, common, name, data);
    const head = Buffer.alloc(6);
    head.writeUInt32LE(directorySignature, 0);
    head.writeUInt16LE(20, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(head, common, tail, name);
    offset += 30 + name.length + data.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directoryBytes, end]);
}

function memberBytes(archive: Buffer, member: Member, file: string, budget: ZipBudget): Buffer {
  const { name, record, compressed, size, offset } = member;
  const problem = (expected: string, found: string): FormatError =>
    new FormatError({ file, where: `member ${quoted(name)}`, expected, found });
  const method = record.readUInt16LE(10);
  if (record.readUInt16LE(8) & 1) throw problem('an unencrypted member', 'an encrypted one');
  const local = need(archive, offset, 30, file, `the header of ${quoted(name)}`);
  if (local.readUInt32LE(0) !== localSignature) throw problem(`its header at byte ${offset}`, 'other bytes');
  const start = offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const data = need(archive, start, compressed, file, `the data of ${quoted(name)}`);
  let bytes: Buffer;
  if (method === 0) {
    bytes = Buffer.from(data);
  } else if (method === 8) {
    if (size > compressed * largestDeflateRatio) {
      throw problem(
        `at most ${compressed * largestDeflateRatio} bytes from ${compressed} deflated ones`,
        `${size} declared`,
      );
    }
    budget.take(member);
    try {
      bytes = inflateRawSync(data, { maxOutputLength: size + 1 });
    } catch (cause) {
      throw problem('deflated data', cause instanceof Error ? cause.message : String(cause));
    }
  } else {
    throw problem('a stored or deflated member', `compression method ${method}`);
  }
  if (bytes.length !== size) throw problem(`${size} bytes`, `${bytes.length}`);
  const sum = crc32(bytes);
  if (sum !== record.readUInt32LE(16)) {
    throw problem(`CRC-32 ${record.readUInt32LE(16).toString(16)}`, `${sum.toString(16)} (damaged data)`);
  }
  return bytes;
}

function need(archive: Buffer, offset: number, length: number, file: string, what: string): Buffer {
  if (offset + length <= archive.length) return archive.subarray(offset, offset + length);
  throw new FormatError({
    file,
    where: `byte ${offset}`,
    expected: `${what} of ${length} bytes`,
    found: `the end of the file at byte ${archive.length}`,
  });
}
