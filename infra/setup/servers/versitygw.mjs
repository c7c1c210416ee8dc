import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeCacheEntry } from '../cache/cacheEntry.mjs';
import { versitygwBinary } from '../cache/cacheContents.mjs';
import { runCommand } from '../commands.mjs';
import { SetupError } from '../errors.mjs';
import { packageRoot } from '../paths.mjs';
import { pins } from '../pins.mjs';
import { sealProgram } from '../downloads/programs.mjs';
import { megabytes } from '../progress.mjs';
import { findGo } from './go.mjs';

const recipe = path.join(packageRoot, 'infra', 'setup', 'versitygw');

/** @returns {boolean} */
export function versitygwIsCached() {
  return existsSync(versitygwBinary());
}

/**
 * Builds the S3 server into the cache, from modules whose hashes stand in `versitygw/go.sum`.
 *
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function buildVersitygw(report, signal) {
  const { module, version, package: goPackage } = pins.versitygw;
  const required = readFileSync(path.join(recipe, 'go.mod'), 'utf8').split(/\s*(?:\/\/.*)?\n\s*/);
  if (!required.includes(`${module} ${version}`)) {
    throw new SetupError(
      `infra/setup/versitygw/go.mod does not name versitygw ${version}, as infra/setup/pins.json does.`,
      'Make the two agree (infra/setup/versitygw/README.md).',
    );
  }
  await makeCacheEntry(path.dirname(versitygwBinary()), async ({ result, scratch }) => {
    const go = await findGo(pins.versitygw.minimumGo, scratch, report, signal);
    report.say('compiling');
    // A copy of the recipe, and folders of its own for modules and objects (0.8 GB, thrown away): a build leaves no trace.
    for (const name of ['go.mod', 'go.sum']) copyFileSync(path.join(recipe, name), path.join(scratch, name));
    const binary = path.join(result, 'versitygw');
    const linker = `-s -w -X main.Version=${version}`;
    await runCommand(go, ['build', '-mod=readonly', '-trimpath', '-ldflags', linker, '-o', binary, goPackage], {
      cwd: scratch,
      env: {
        CGO_ENABLED: '0',
        GOFLAGS: '-modcacherw -buildvcs=false',
        GOTOOLCHAIN: 'local',
        GOWORK: 'off',
        GOPATH: path.join(scratch, 'path'),
        GOMODCACHE: path.join(scratch, 'modules'),
        GOCACHE: path.join(scratch, 'objects'),
        GOTMPDIR: scratch,
        // Not those of a Go that is installed: the toolchain finds its own root.
        GOROOT: undefined,
        GOBIN: undefined,
      },
      signal,
      mend: 'Check the network, the Go module proxy (`go env GOPROXY`) and the disk, then run `npm run setup` again.',
    });
    await sealProgram(binary);
    report.say(`versitygw ${version}, ${megabytes(statSync(binary).size)}`);
  });
}
