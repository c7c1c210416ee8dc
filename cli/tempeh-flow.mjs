#!/usr/bin/env node
/** The `tempeh-flow` command: runs the compiled program, and says how to get it where it is missing. */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const main = new URL('../build/cli/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  // From Node 22 on: what a command loads is compiled once. Where nothing can be written, each time as before.
  module.enableCompileCache?.(fileURLToPath(new URL('../build/.compiled', import.meta.url)));
  await import(main.href);
} else {
  console.error('tempeh-flow is not built yet. Run `npm run setup` in its folder first.');
  process.exitCode = 1;
}
