import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** `from './x.js'`, `import('./x.js')`, `new URL('./x.js', …)`: how a compiled module names another of ours. */
const reference = /(?:from\s*|import\s*\(?\s*|new URL\(\s*)['"](\.{1,2}\/[^'"]+\.m?js)['"]/g;

/**
 * Hex SHA-256 over a compiled module and all of ours that it imports, directly or not: it changes with any edit that can
 * change what the module computes, and with no other.
 *
 * @param entries paths of compiled modules
 */
export async function sourceFingerprint(entries: readonly string[]): Promise<string> {
  const sources = new Map<string, string>();
  const waiting = entries.map((entry) => resolve(entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (sources.has(file)) continue;
    const source = await readFile(file, 'utf8');
    sources.set(file, source);
    for (const [, target] of source.matchAll(reference)) {
      if (target !== undefined) waiting.push(resolve(dirname(file), target));
    }
  }
  const contents = [...sources.values()].sort();
  const hash = createHash('sha256');
  for (const content of contents) hash.update(createHash('sha256').update(content).digest());
  return hash.digest('hex');
}
