import { FormatError, quoted } from '../formatError.js';

/** A file inside a tar archive that is held in memory. */
export interface TarMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const block = 512;
/** Kinds of members: a file (two ways), links, devices, a folder, a pipe. Others carry names or sizes for those behind them. */
const passedOver = '\x0001234567';

/** How long an archive of files of these sizes is. */
export function tarLength(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + block + padded(size), 2 * block);
}

/**
 * Writes all of an archive but its files' bytes. Owner, mode and time are fixed: the same files give the same bytes.
 *
 * @param archive `tarLength(…)` bytes, whatever stood there before.
 * @returns where in it each file's bytes are to be laid.
 * @throws RangeError for names that are empty or longer than ustar's 100 bytes
 */
export function frameTar(
  files: readonly { readonly name: string; readonly size: number }[],
  archive: Buffer,
): readonly number[] {
  let end = 0;
  const starts = files.map(({ name, size }) => {
    header(name, size).copy(archive, end);
    const start = end + block;
    end = start + padded(size);
    archive.fill(0, start + size, end);
    return start;
  });
  archive.fill(0, end);
  return starts;
}

/**
 * Writes files into one POSIX (ustar) archive, as {@link frameTar} does.
 * @throws RangeError for names that are empty or longer than ustar's 100 bytes
 */
export function writeTar(members: readonly TarMember[]): Buffer {
  const files = members.map(({ name, bytes }) => ({ name, size: bytes.length }));
  const archive = Buffer.alloc(tarLength(files.map(({ size }) => size)));
  const starts = frameTar(files, archive);
  for (const [i, { bytes }] of members.entries()) archive.set(bytes, starts[i]);
  return archive;
}

function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

/**
 * Reads the files of an archive that {@link writeTar} or any tar wrote in ustar format; folders and links are passed over.
 * The members' bytes are views of `bytes`.
 * @throws FormatError naming the byte, for wrong checksums, archives cut short, two files of one name and long names of
 *   other formats
 */
export function readTar(bytes: Uint8Array, file: string): TarMember[] {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members: TarMember[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (;;) {
    if (offset + block > archive.length) throw cutShort(file, offset, archive.length);
    const head = archive.subarray(offset, offset + block);
    if (head.every((byte) => byte === 0)) return members;
    if (octal(head, 148, 8) !== checksum(head)) {
      throw new FormatError({ file, where: `byte ${offset}`, expected: 'a tar header', found: 'a wrong checksum' });
    }
    const prefix = head.toString('latin1', 257, 262) === 'ustar' ? text(head, 345, 155) : '';
    const name = prefix ? `${prefix}/${text(head, 0, 100)}` : text(head, 0, 100);
    const size = octal(head, 124, 12);
    const start = offset + block;
    if (!Number.isSafeInteger(size) || start + size > archive.length) throw cutShort(file, start, archive.length, name);
    const kind = String.fromCharCode(head[156]!);
    if (!passedOver.includes(kind)) {
      const found = `one of kind ${quoted(kind)}, which changes what the next is called`;
      throw new FormatError({ file, where: `byte ${offset}`, expected: 'a file, a folder or a link', found });
    }
    if (kind === '\0' || kind === '0') {
      if (names.has(name)) {
        throw new FormatError({
          file,
          where: `byte ${offset}`,
          expected: 'each name once',
          found: `${quoted(name)} again`,
        });
      }
      names.add(name);
      members.push({ name, bytes: archive.subarray(start, start + size) });
    }
    offset = start + padded(size);
  }
}

function header(name: string, size: number): Buffer {
  const encoded = Buffer.from(name, 'utf8');
  if (encoded.length === 0 || encoded.length > 100) {
    throw new RangeError(`tar: a name must have 1 to 100 bytes; ${quoted(name)} has ${encoded.length}`);
  }
  const head = Buffer.alloc(block);
  encoded.copy(head);
  head.write('0000644\0', 100, 'latin1');
  head.write('0000000\0', 108, 'latin1');
  head.write('0000000\0', 116, 'latin1');
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  head.write(`${'0'.repeat(11)}\0`, 136, 'latin1');
  head.write('0', 156, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  head.write(`${checksum(head).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}

/** Sum of the header's bytes, its own field counted as blanks. */
function checksum(head: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += head[i]!;
  return sum;
}

function octal(head: Buffer, offset: number, length: number): number {
  const digits = text(head, offset, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
}

function text(head: Buffer, offset: number, length: number): string {
  const field = head.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function cutShort(file: string, offset: number, length: number, name?: string): FormatError {
  return new FormatError({
    file,
    where: `byte ${offset}`,
    expected: name === undefined ? 'a tar header or the end mark' : `the whole of ${quoted(name)}`,
    found: `the end of the file at byte ${length}`,
  });
}
