import { readBoundedYaml, YamlUnreadable } from '../../../text/boundedYaml.js';
import { repeatedKey } from '../../../text/repeatedKey.js';
import { FormatError, quoted, withoutByteOrderMark } from '../../formats/formatError.js';
import { describe, isMap } from './fields.js';

/** Characters. A rig of hundreds of cameras has less. */
export const longest = 8_000_000;

/** Of YAML, which takes more time than JSON: what OpenCV writes of a calibration with a hundred boards is shorter. */
const yamlLimits = {
  longest: 1 << 18,
  deepest: 64,
  knownTags: [':opencv-matrix', ':opencv-nd-matrix'],
  mostAliases: 10,
} as const;

/** Reads YAML, as `cv::FileStorage` writes it or plain, or JSON: a map. @throws FormatError */
export function parseTree(text: string, file: string): Readonly<Record<string, unknown>> {
  // Not a YAML directive, though it looks like one; an empty line keeps the lines' numbers.
  const whole = withoutByteOrderMark(text).replace(/^%YAML[: ]1\.[0-9][^\n]*/, '');
  const value = readTree(whole, file);
  if (isMap(value)) return value;
  throw new FormatError({ file, expected: 'a map of settings', found: describe(value) });
}

function readTree(text: string, file: string): unknown {
  try {
    // JSON is YAML, but for its tabs, and quicker.
    return /^\s*\{/.test(text) ? readJson(text, file) : readBoundedYaml(text, yamlLimits).value;
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const expected = 'YAML as OpenCV writes it, or JSON';
    if (!(cause instanceof YamlUnreadable)) {
      throw new FormatError({ file, expected, found: cause instanceof Error ? cause.message : String(cause) });
    }
    const [first] = cause.problems;
    const found = first === undefined ? cause.message : `${first.key && `${first.key}: `}${first.problem}`;
    throw new FormatError({ file, where: `line ${first?.line ?? 1}`, expected, found });
  }
}

function readJson(text: string, file: string): unknown {
  const value = JSON.parse(text) as unknown;
  const repeated = repeatedKey(text);
  if (repeated === null) return value;
  const found = `${quoted(repeated.key)} again`;
  throw new FormatError({ file, where: `line ${repeated.line}`, expected: 'each field of an object once', found });
}
