import { open } from 'node:fs/promises';

/** A piece of a body, in its place. */
export interface BodyPart {
  /** Counted from 1. */
  readonly number: number;
  readonly content: Uint8Array;
}

/**
 * A body in parts of `partSize` bytes (the last may be shorter), in their order; a file is read part by part.
 *
 * @param size bytes that the body has, or had when its file was looked at.
 * @throws Error for a file that has become shorter.
 */
export async function* partsOf(
  body: Uint8Array | { readonly path: string },
  size: number,
  partSize: number,
): AsyncGenerator<BodyPart> {
  if (body instanceof Uint8Array) {
    for (let start = 0, number = 1; start < size; start += partSize, number++) {
      yield { number, content: body.subarray(start, Math.min(start + partSize, size)) };
    }
    return;
  }
  const file = await open(body.path, 'r');
  try {
    for (let start = 0, number = 1; start < size; start += partSize, number++) {
      const content = new Uint8Array(Math.min(partSize, size - start));
      let filled = 0;
      while (filled < content.length) {
        const { bytesRead } = await file.read(content, filled, content.length - filled, start + filled);
        if (bytesRead === 0) {
          throw new Error(`${body.path} became shorter while it was sent: ${start + filled} bytes of ${size}.`);
        }
        filled += bytesRead;
      }
      yield { number, content };
    }
  } finally {
    await file.close();
  }
}
