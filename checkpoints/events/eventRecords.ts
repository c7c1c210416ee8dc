import { maskedCrc32c } from './crc32c.js';
import { bytesField, doubleField, floatField, integerField, messageField, textField } from './protobuf.js';

/** A picture of an event log, as PNG. */
export interface EventPicture {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** Field numbers of tensorflow/core/util/event.proto and framework/summary.proto. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const summaryValue = 1;
/** Field numbers of a value of a summary. */
export const value = { tag: 1, simpleValue: 2, image: 4, tensor: 8, metadata: 9 } as const;
const image = { height: 1, width: 2, colourSpace: 3, encoded: 4 } as const;
const rgb = 3;
/** Field numbers of a tensor. */
export const tensor = { type: 1, shape: 2, content: 4, strings: 8 } as const;
const stringType = 7;

/** The first record of every event file. */
export function versionRecord(wallTime: number): Buffer {
  return record(Buffer.concat([doubleField(event.wallTime, wallTime), textField(event.fileVersion, 'brain.Event:2')]));
}

/** @param wallTime seconds since 1970. */
export function scalarRecord(wallTime: number, step: number, tag: string, scalar: number): Buffer {
  return summaryRecord(wallTime, step, textField(value.tag, tag), floatField(value.simpleValue, scalar));
}

export function pictureRecord(wallTime: number, step: number, tag: string, picture: EventPicture): Buffer {
  const fields = [
    integerField(image.height, picture.height),
    integerField(image.width, picture.width),
    integerField(image.colourSpace, rgb),
    bytesField(image.encoded, picture.png),
  ];
  return summaryRecord(wallTime, step, textField(value.tag, tag), messageField(value.image, ...fields));
}

/** @param markdown what TensorBoard's page of texts shows, tables included. */
export function textRecord(wallTime: number, step: number, tag: string, markdown: string): Buffer {
  // metadata.plugin_data.plugin_name; a shape of one side of one.
  const metadata = messageField(value.metadata, messageField(1, textField(1, 'text')));
  const fields = [
    integerField(tensor.type, stringType),
    messageField(tensor.shape, messageField(2, integerField(1, 1))),
    textField(tensor.strings, markdown),
  ];
  return summaryRecord(wallTime, step, textField(value.tag, tag), metadata, messageField(value.tensor, ...fields));
}

/** A record of one value. @param fields of the value. */
export function summaryRecord(wallTime: number, step: number, ...fields: readonly Buffer[]): Buffer {
  const summary = messageField(event.summary, messageField(summaryValue, ...fields));
  return record(Buffer.concat([doubleField(event.wallTime, wallTime), integerField(event.step, step), summary]));
}

/** TFRecord framing: length, its checksum, the bytes, theirs. */
function record(content: Buffer): Buffer {
  const framed = Buffer.alloc(content.length + 16);
  framed.writeBigUInt64LE(BigInt(content.length), 0);
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  content.copy(framed, 12);
  framed.writeUInt32LE(maskedCrc32c(content), 12 + content.length);
  return framed;
}
