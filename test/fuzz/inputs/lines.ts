import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { packageRoot } from '../../../configs/packageRoot.js';
import { damaged, words } from './bytes.js';

/** A file of the repository. */
export const fileOf = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

/** Lines in any order, some of them twice, some of them changed. */
export function lineByLine(text: string, tokens: readonly string[]): Arbitrary<string> {
  const lines = text.split('\n');
  return fc
    .array(fc.tuple(fc.nat(lines.length), fc.constantFrom('drop', 'twice', 'replace', 'move'), words(tokens, ' ', 4)), {
      maxLength: 4,
    })
    .map((changes) => {
      const changed = [...lines];
      for (const [at, kind, value] of changes) {
        if (kind === 'drop') changed.splice(at, 1);
        else if (kind === 'twice') changed.splice(at, 0, changed[at] ?? '');
        else if (kind === 'replace') changed[at] = (changed[at] ?? '').replace(/\S+$/, value);
        else changed.push(...changed.splice(at, 1));
      }
      return changed.join('\n');
    });
}

/** As a file's bytes, damaged now and then. */
export const asBytes = (source: Arbitrary<string>): Arbitrary<Buffer> =>
  damaged(source.map((text) => Buffer.from(text)));
