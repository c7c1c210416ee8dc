import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { packageRoot } from '../../../configs/packageRoot.js';
import { LineLogger } from '../../../workers/log.js';

/** Compiled workflows of earlier versions, `VERSION.json.gz`: an object of paths below the build, and what stands there. */
const folder = join(packageRoot, 'test', 'workflows', 'previous');
const build = fileURLToPath(new URL('../../..', import.meta.url));

/** What an earlier version's data workers ran, as a bundle for workers of today. */
export async function previousWorkflows(version: string): Promise<WorkflowBundleOption> {
  const file = join(folder, `${version}.json.gz`);
  const sources = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<string, string>;
  // Beside our own build, so that its imports find the packages.
  const directory = mkdtempSync(join(build, 'previous-'));
  try {
    for (const [path, text] of Object.entries(sources)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const workflowsPath = join(directory, 'workflows', 'index.js');
    return await bundleWorkflowCode({ workflowsPath, logger: new LineLogger('test', undefined, 'ERROR') });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Keeps today's compiled workflows for the versions that come. */
export function recordWorkflows(version: string): void {
  const names = readdirSync(join(build, 'workflows'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  );
  const paths = [...names.map((name) => `workflows/${name}`), 'configs/temporal.js'];
  const sources = Object.fromEntries(paths.map((path) => [path, readFileSync(join(build, path), 'utf8')]));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${version}.json.gz`), gzipSync(JSON.stringify(sources)));
}
