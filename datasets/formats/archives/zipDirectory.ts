import { FormatError, quoted } from '../formatError.js';

/** What the directory of a ZIP archive says of a member. */
export interface ZipEntry {
  readonly name: string;
  /** Where its own header begins, bytes from the start. */
  readonly offset: number;
  /** Bytes that it takes in the archive. */
  readonly compressed: number;
  readonly size: number;
}

/** Bytes that may be read out of an archive for each of its own, and out of a small one. */
const largestExpansion = 20;
const leastBudget = 1 << 25;
const ownHeader = 30;

/**
 * What the members of an archive may hold together, whatever they are packed from.
 * @throws FormatError for members of one name, and for members that share bytes or lie outside: no program writes such
 */
export function checkZipDirectory(entries: readonly ZipEntry[], length: number, file: string): void {
  const names = new Set<string>();
  const problem = ({ name }: ZipEntry, expected: string, found: string): FormatError =>
    new FormatError({ file, where: `member ${quoted(name)}`, expected, found });
  for (const entry of entries) {
    if (names.has(entry.name)) throw problem(entry, 'each name once', 'two members of this name');
    names.add(entry.name);
  }
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) throw problem(entry, `bytes of its own from ${entry.offset} on`, 'those of another member');
    end = entry.offset + ownHeader + entry.compressed;
    if (end > length) throw problem(entry, `${entry.compressed} bytes`, `the end of the file at byte ${length}`);
  }
}

/** Counts what is read out of an archive, so that a small file does not become gigabytes. */
export class ZipBudget {
  private left: number;

  constructor(
    length: number,
    private readonly file: string,
  ) {
    this.left = Math.max(leastBudget, length * largestExpansion);
  }

  /** @throws FormatError when it is used up. */
  take({ name, size }: ZipEntry): void {
    if (size > this.left) {
      const expected = `at most ${Math.floor(this.left)} more bytes (${largestExpansion} for each of the file's)`;
      throw new FormatError({ file: this.file, where: `member ${quoted(name)}`, expected, found: `${size} declared` });
    }
    this.left -= size;
  }
}
