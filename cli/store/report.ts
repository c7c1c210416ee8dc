import { spawn } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { runReport } from '../../report/runReport.js';
import { seriesReport } from '../../report/seriesReport.js';
import { openStore } from '../../storage/openStore.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { outputFile } from '../outputs.js';
import { requireRunName } from '../runName.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { configurationOfRun } from './ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { print, tell } from '../terminal/print.js';

export interface ReportOptions extends StoreOptions {
  readonly run: string;
  readonly out: string | undefined;
  readonly open: boolean;
  /** Price of an hour of one GPU. */
  readonly gpuPrice: number | undefined;
}

/** Writes the page about a run, as far as it has come. @returns the exit code. */
export async function report({ run, out, open, gpuPrice, ...where }: ReportOptions): Promise<ExitCode> {
  requireRunName(run);
  const { storage } = await configurationOfRun(run, where);
  const store = openStore(storage);
  const file = await outputFile('--out', out ?? `${run}.report.html`);
  const page = await untilStopped(
    async (signal) =>
      (await seriesReport(store, run)) ?? (await runReport({ store, run, signal, gpuPrice: gpuPrice ?? null })),
  );
  if (page === null) {
    const todo = 'tempeh-flow list shows those that Temporal knows';
    throw new CommandError(`There is no run ${run} in ${store.description}: ${todo}.`, exitCodes.usage);
  }
  // A page that is open in a browser is never seen half written.
  await writeFile(`${file}.new`, page);
  await rename(`${file}.new`, file);
  tell({ run, file });
  print(`${file} (${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB)`);
  if (open) openInBrowser(file);
  return exitCodes.ok;
}

function openInBrowser(file: string): void {
  const [program, ...before] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform as string] ?? [
    'xdg-open',
  ];
  const child = spawn(program!, [...before, pathToFileURL(file).href], { stdio: 'ignore', detached: true });
  child.once('error', (error) => {
    process.stderr.write(`It cannot be shown from here (${error.message}): open ${file} in a browser.\n`);
  });
  child.unref();
}
