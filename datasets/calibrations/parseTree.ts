import { parseDocument } from 'yaml';
import { FormatError, withoutByteOrderMark } from '../formats/formatError.js';
import { describe, isMap } from './fields.js';

/** Characters. A rig of hundreds of cameras has less. */
export const longest = 8_000_000;

/** Reads YAML, as `cv::FileStorage` writes it or plain, or JSON: a map. @throws FormatError */
export function parseTree(text: string, file: string): Readonly<Record<string, unknown>> {
  // Not a YAML directive, though it looks like one; an empty line keeps the lines' numbers.
  const whole = withoutByteOrderMark(text).replace(/^%YAML[: ]1\.[0-9][^\n]*/, '');
  let value: unknown;
  try {
    // JSON is YAML, but for its tabs.
    if (/^\s*\{/.test(whole)) value = JSON.parse(whole);
    else {
      const document = parseDocument(whole, { logLevel: 'silent' });
      if (document.errors[0]) throw document.errors[0];
      value = document.toJS({ maxAliasCount: 10 });
    }
  } catch (cause) {
    const found = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;
    throw new FormatError({ file, expected: 'YAML as OpenCV writes it, or JSON', found });
  }
  if (isMap(value)) return value;
  throw new FormatError({ file, expected: 'a map of settings', found: describe(value) });
}
