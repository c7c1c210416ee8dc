import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that is gone with its test. */
export function scratchDirectory(test: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'tempeh-infra-'));
  test.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}
