import { FormatError } from '../../formats/formatError.js';
import { colmapModel, type ColmapCamera } from './models.js';
import type { ColmapImage } from './text.js';

/** Characters of an image's name. */
const longestName = 4096;
const bytesOfFeature = 24;

/** Reads little-endian values one after the other; what is not there is reported with its place. */
class Values {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly file: string,
  ) {}

  get where(): string {
    return `byte ${this.at}`;
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4, 'a number'));
  }

  /** 64 bits; a number larger than the file cannot be meant. */
  uint64(): number {
    const value = this.bytes.readBigUInt64LE(this.take(8, 'a number'));
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value);
  }

  doubles(count: number): number[] {
    const start = this.take(8 * count, `${count} numbers`);
    return Array.from({ length: count }, (_, i) => {
      const value = this.bytes.readDoubleLE(start + 8 * i);
      if (Number.isFinite(value)) return value;
      throw new FormatError({
        file: this.file,
        where: `byte ${start + 8 * i}`,
        expected: 'a finite number',
        found: `${value}`,
      });
    });
  }

  name(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end - this.at > longestName) {
      throw new FormatError({
        file: this.file,
        where: this.where,
        expected: 'a name that ends with a 0',
        found: 'none',
      });
    }
    const name = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return name;
  }

  skip(count: number, each: number): void {
    this.take(count * each, `${count} × ${each} bytes`);
  }

  /** A count of records of so many bytes at least. */
  count(least: number, what: string): number {
    const count = this.uint64();
    if (count * least > this.bytes.length - this.at) {
      const found = `${this.bytes.length - this.at} bytes until the end of the file`;
      throw new FormatError({ file: this.file, where: this.where, expected: `${count} ${what}`, found });
    }
    return count;
  }

  end(): void {
    if (this.at === this.bytes.length) return;
    const found = `${this.bytes.length - this.at} bytes more`;
    throw new FormatError({ file: this.file, where: this.where, expected: 'the end of the file', found });
  }

  private take(count: number, expected: string): number {
    const start = this.at;
    if (!(start + count <= this.bytes.length)) {
      const found = `${this.bytes.length - start} bytes until the end of the file`;
      throw new FormatError({ file: this.file, where: this.where, expected, found });
    }
    this.at = start + count;
    return start;
  }
}

/** Reads `cameras.bin`. @throws FormatError naming the byte */
export function parseCamerasBinary(bytes: Buffer, file: string): Map<number, ColmapCamera> {
  const values = new Values(bytes, file);
  const cameras = new Map<number, ColmapCamera>();
  for (let left = values.count(24, 'cameras'); left > 0; left--) {
    const id = values.uint32();
    const { where } = values;
    const { name, parameters } = colmapModel(values.uint32(), file, where);
    const imageSize = [values.uint64(), values.uint64()] as const;
    cameras.set(id, { model: name, imageSize, parameters: values.doubles(parameters) });
  }
  values.end();
  return cameras;
}

/** Reads `images.bin`. @throws FormatError naming the byte */
export function parseImagesBinary(bytes: Buffer, file: string): ColmapImage[] {
  const values = new Values(bytes, file);
  const images: ColmapImage[] = [];
  for (let left = values.count(73, 'images'); left > 0; left--) {
    values.uint32();
    const quaternion = values.doubles(4);
    const translation = values.doubles(3);
    const camera = values.uint32();
    images.push({ quaternion, translation, camera, name: values.name() });
    values.skip(values.count(bytesOfFeature, 'features'), bytesOfFeature);
  }
  values.end();
  return images;
}
