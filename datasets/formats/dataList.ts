import type { FrameId } from '../types.js';
import { hasControls } from '../../text/printable.js';
import { described, FormatError, quoted, withoutByteOrderMark } from './formatError.js';

/**
 * Reads a data list: a JSON array of `[subject, sequence, frame]` (method 1), in its order.
 * @throws FormatError naming the entry
 */
export function parseDataList(text: string, file: string): FrameId[] {
  let list: unknown;
  try {
    list = JSON.parse(withoutByteOrderMark(text));
  } catch (cause) {
    throw new FormatError({ file, expected: 'JSON', found: cause instanceof Error ? cause.message : String(cause) });
  }
  if (!Array.isArray(list)) {
    throw new FormatError({ file, expected: 'a JSON array of [subject, sequence, frame]', found: describe(list) });
  }
  const seen = new Set<string>();
  return list.map((entry: unknown, index) => {
    const where = `entry ${index + 1}`;
    if (!Array.isArray(entry) || entry.length !== 3 || !entry.every((part) => typeof part === 'string')) {
      throw new FormatError({
        file,
        where,
        expected: '[subject, sequence, frame], three strings (frame numbers keep their zeros)',
        found: describe(entry),
      });
    }
    const [subject, sequence, frame] = entry as [string, string, string];
    for (const part of [subject, sequence, frame]) {
      if (!isPathPart(part)) {
        throw new FormatError({ file, where, expected: 'names that can be folders', found: quoted(part) });
      }
    }
    const key = `${subject}/${sequence}/${frame}`;
    if (seen.has(key)) throw new FormatError({ file, where, expected: 'each frame once', found: `${key} again` });
    seen.add(key);
    return { subject, sequence, frame };
  });
}

/** Writes a data list as the published ones are. */
export function formatDataList(frames: readonly FrameId[]): string {
  return JSON.stringify(frames.map(({ subject, sequence, frame }) => [subject, sequence, frame]));
}

/** Names become folders and object keys: nothing that leaves them, or that a terminal would obey. */
export function isPathPart(part: string): boolean {
  return (
    part !== '' && part !== '.' && part !== '..' && part.length <= 200 && !/[/\\]/.test(part) && !hasControls(part)
  );
}

/** An entry for a message; only short ones are repeated. */
function describe(value: unknown): string {
  const isShort = Array.isArray(value) && value.length <= 4 && value.every((part) => typeof part !== 'object');
  return isShort ? quoted(JSON.stringify(value)) : described(value);
}
