import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, type Logger, type WorkflowBundleOption } from '@temporalio/worker';
import { makeFolder } from '../../disk/makeFolder.js';

const build = fileURLToPath(new URL('../..', import.meta.url));
const bundles = new Map<string | undefined, Promise<WorkflowBundleOption>>();

/**
 * The workflows' code as a data worker runs it in its sandbox. Bundling takes a second or two and 80 MB, so the bundle is
 * kept beside the compiled code, under the SHA-256 of what it is made from.
 *
 * @param converter of failures, the worker's: it is part of the bundle.
 */
export function workflowBundle(
  logger: Logger,
  { failureConverterPath: converter }: Pick<DataConverter, 'failureConverterPath'> = {},
): Promise<WorkflowBundleOption> {
  const bundle = bundles.get(converter) ?? findOrMake(logger, converter);
  bundles.set(converter, bundle);
  return bundle;
}

async function findOrMake(logger: Logger, converter: string | undefined): Promise<WorkflowBundleOption> {
  const folder = join(build, 'workflow-bundles');
  const kind = converter === undefined ? '' : `-${basename(converter, '.js')}`;
  const codePath = join(folder, `${await sourceHash()}${kind}.js`);
  if (existsSync(codePath)) return { codePath };
  const workflowsPath = join(build, 'workflows', 'index.js');
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger,
    ...(converter === undefined ? {} : { failureConverterPath: converter }),
    workflowInterceptorModules: [join(build, 'workflows', 'traceHeaders.js')],
  });
  // Several processes may do this at once. Where the folder cannot be written, each process bundles for itself.
  try {
    const temporary = `${codePath}.${randomUUID()}`;
    await makeFolder(folder);
    await writeFile(temporary, code);
    await rename(temporary, codePath);
  } catch (error) {
    logger.info('The workflow bundle is not kept for the next start.', { error });
  }
  return { code };
}

/** Of all that goes into the bundle: our compiled files, and the SDK's version. */
async function sourceHash(): Promise<string> {
  const folder = join(build, 'workflows');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js')).sort();
  const files = [...names.map((name) => join(folder, name)), join(build, 'configs', 'temporal.js')];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.slice(build.length)}\n`).update(await readFile(file));
  hash.update(await readFile(createRequire(import.meta.url).resolve('@temporalio/workflow/package.json')));
  return hash.digest('hex').slice(0, 16);
}
