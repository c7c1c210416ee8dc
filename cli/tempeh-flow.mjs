#!/usr/bin/env node
/** The `tempeh-flow` command: runs the compiled program, and says how to get it where it is missing. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../build/cli/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  console.error('tempeh-flow is not built yet. Run `npm run setup` in its folder first.');
  process.exitCode = 1;
}
