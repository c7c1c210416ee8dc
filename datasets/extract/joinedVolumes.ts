import { open, type FileHandle } from 'node:fs/promises';
import type { Span } from './errors.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** A file of an archive, as it was fetched. */
export interface Volume {
  /** PATH on the host. */
  readonly path: string;
  readonly file: string;
  readonly size: number;
}

/** A piece of a volume, `end` excluded. */
export interface VolumePart extends Span {
  readonly volume: Volume;
}

export function joinedSize(volumes: readonly Volume[]): number {
  return volumes.reduce((sum, { size }) => sum + size, 0);
}

/** The volumes' pieces that spans of the joined archive lie in; overlapping ones once. */
export function partsOf(spans: readonly Span[], volumes: readonly Volume[]): VolumePart[] {
  const parts: VolumePart[] = [];
  const sorted = [...spans].sort((a, b) => a.start - b.start);
  let from = 0;
  for (const { start, end } of sorted) {
    let base = 0;
    for (const volume of volumes) {
      const first = Math.max(start, from, base);
      const last = Math.min(end, base + volume.size);
      if (first < last) parts.push({ volume, start: first - base, end: last - base });
      base += volume.size;
    }
    from = Math.max(from, end);
  }
  return parts;
}

/** Reads the volumes of an archive as if they were one file. */
export class JoinedReader {
  private constructor(
    private readonly volumes: readonly Volume[],
    private readonly handles: ReadonlyMap<Volume, FileHandle>,
  ) {}

  static async open(volumes: readonly Volume[]): Promise<JoinedReader> {
    const handles = new Map<Volume, FileHandle>();
    try {
      for (const volume of volumes) handles.set(volume, await open(volume.file));
    } catch (error) {
      for (const handle of handles.values()) await handle.close();
      throw error;
    }
    return new JoinedReader(volumes, handles);
  }

  /** Shorter at the end of the archive. */
  async read(start: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    for (const part of partsOf([{ start, end: start + length }], this.volumes)) {
      const handle = this.handles.get(part.volume)!;
      filled += (await handle.read(bytes, filled, part.end - part.start, part.start)).bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async close(): Promise<void> {
    for (const handle of this.handles.values()) await handle.close();
  }
}

const endSignature = Buffer.from([0x50, 0x4b, 5, 6]);
const end64LocatorSignature = 0x07064b50;
const end64Signature = 0x06064b50;
const longestComment = 0xffff;

/** Where a ZIP archive's directory begins in the joined volumes; null where its end record is damaged. */
export async function findDirectory(volumes: readonly Volume[]): Promise<number | null> {
  const size = joinedSize(volumes);
  const reader = await JoinedReader.open(volumes);
  return withCleanUp(
    async () => {
      const tailStart = Math.max(0, size - longestComment - 22 - 20);
      const tail = await reader.read(tailStart, size - tailStart);
      const at = tail.lastIndexOf(endSignature);
      if (at < 0 || at + 22 > tail.length) return null;
      let directory = tail.readUInt32LE(at + 16);
      if (at >= 20 && tail.readUInt32LE(at - 20) === end64LocatorSignature) {
        const end64 = await reader.read(Number(tail.readBigUInt64LE(at - 20 + 8)), 56);
        if (end64.length < 56 || end64.readUInt32LE(0) !== end64Signature) return null;
        directory = Number(end64.readBigUInt64LE(48));
      }
      return directory < size ? directory : null;
    },
    () => reader.close(),
  );
}
