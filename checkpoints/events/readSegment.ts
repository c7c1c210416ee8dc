import { maskedCrc32c } from './crc32c.js';
import { readFields } from './protobuf.js';

/** What a segment of an event log holds, without the contents of its records. */
export interface SegmentContents {
  /** Records with something to show; the first of a file, which tells its version, is none. */
  readonly records: number;
  /** The largest step of these; null where there are none. */
  readonly lastStep: number | null;
}

/** A number that was logged. */
export interface LoggedScalar {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly tag: string;
  readonly value: number;
}

/** Thrown for bytes that are no whole event file. */
export class SegmentDamaged extends Error {
  override readonly name = 'SegmentDamaged';
}

/** Field numbers of tensorflow/core/util/event.proto and framework/summary.proto. */
const event = { wallTime: 1, step: 2, summary: 5 } as const;
const summaryValue = 1;
const value = { tag: 1, simpleValue: 2 } as const;

type Damaged = (what: string) => SegmentDamaged;

/** @param key of the file, for messages. @throws SegmentDamaged saying at which byte. */
export function readSegment(file: Uint8Array, key: string): SegmentContents {
  let records = 0;
  let lastStep: number | null = null;
  for (const { content, damaged } of recordsOf(file, key)) {
    const { step, summaries } = readEvent(content, damaged);
    if (summaries.length === 0) continue;
    records++;
    lastStep = Math.max(lastStep ?? 0, step);
  }
  return { records, lastStep };
}

/** The scalars of a segment, in the order in which they were written. @throws SegmentDamaged saying at which byte. */
export function* readScalars(file: Uint8Array, key: string): Generator<LoggedScalar> {
  for (const { content, damaged } of recordsOf(file, key)) {
    const { wallTime, step, summaries } = readEvent(content, damaged);
    for (const summary of summaries) {
      for (const { field, bytes } of readFields(summary, damaged)) {
        if (field !== summaryValue) continue;
        const scalar = readValue(bytes, damaged);
        if (scalar !== null) yield { wallTime, step, ...scalar };
      }
    }
  }
}

/** The records of a file of TFRecords, checked by their sums. */
function* recordsOf(file: Uint8Array, key: string): Generator<{ content: Buffer; damaged: Damaged }> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (let offset = 0; offset < bytes.length;) {
    const at = offset;
    const damaged: Damaged = (what) => new SegmentDamaged(`${key}, byte ${at}: ${what}`);
    if (at + 12 > bytes.length) throw damaged('the record ends early');
    const length = Number(bytes.readBigUInt64LE(at));
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(bytes.subarray(at, at + 8))) {
      throw damaged("the record's length has another checksum");
    }
    offset = at + length + 16;
    if (offset > bytes.length) throw damaged('the record ends early');
    const content = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 12 + length) !== maskedCrc32c(content)) {
      throw damaged('the record has another checksum');
    }
    yield { content, damaged };
  }
}

function readEvent(content: Buffer, damaged: Damaged): { wallTime: number; step: number; summaries: Buffer[] } {
  let wallTime = 0;
  let step = 0;
  const summaries: Buffer[] = [];
  for (const { field, integer, bytes } of readFields(content, damaged)) {
    if (field === event.wallTime && bytes.length === 8) wallTime = bytes.readDoubleLE();
    if (field === event.step && integer !== null) step = integer;
    if (field === event.summary && integer === null) summaries.push(bytes);
  }
  return { wallTime, step, summaries };
}

/** null where it is no scalar. */
function readValue(content: Buffer, damaged: Damaged): { tag: string; value: number } | null {
  let tag = '';
  let scalar: number | null = null;
  for (const { field, bytes } of readFields(content, damaged)) {
    if (field === value.tag) tag = bytes.toString('utf8');
    if (field === value.simpleValue && bytes.length === 4) scalar = bytes.readFloatLE();
  }
  return scalar === null ? null : { tag, value: scalar };
}
