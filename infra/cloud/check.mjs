#!/usr/bin/env node
/**
 * Checks the Terraform of infra/cloud with Terraform itself and against the AWS provider's schema, without an account
 * and without the provider: `npm run test:cloud`. Needs Terraform or OpenTofu (1.6 or later), Python, pip and the network
 * once. What only AWS can say (names that are taken, quotas, permissions) it does not find out.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCacheEntry } from '../setup/cache/cacheEntry.mjs';
import { runCommand } from '../setup/commands.mjs';
import { SetupError } from '../setup/errors.mjs';
import { cacheDirectory } from '../setup/paths.mjs';

const cloud = path.dirname(fileURLToPath(import.meta.url));
/** The provider's schema (of its version 6.25), as the CDK for Terraform has it. */
const typings = {
  package: '@cdktf/provider-aws@21.22.1',
  sha256: 'd1446ab6ac6526c6fab4b28a5ebefdd90c0ce56203949925d35a4d286c05cbbf',
  /** Patterns of GNU tar. */
  members: ['s3-*', 'kms-*', 'iam-*', 'eks-node-group', 'launch-template', 'data-aws-iam-policy-document'].map(
    (folder) => `package/lib/${folder}/index.d.ts`,
  ),
};
const requirements = [
  'python-hcl2==4.3.5 --hash=sha256:e33795eed675ae59545e725d1de0a8d78b4166b30b6e0bc7699365bd06334068',
  'lark==1.3.1 --hash=sha256:c629b661023a014c37da873b4ff58a817398d12635d3bbb2c5a03be7fe5d1e12',
].join('\n');
const mend = 'See the output above.';
const onNetwork = 'Check npm, pip and the network.';

await main();

async function main() {
  const terraform = await found(['terraform', 'tofu']);
  await runCommand(terraform, ['fmt', '-check', '-recursive', '-diff', cloud], {
    mend: 'Run `terraform fmt -recursive infra/cloud`.',
  });
  console.log('✔ parsed and formatted');
  const cache = await prepared();
  const python = path.join(cache, 'python');
  const check = (/** @type {string} */ folder) =>
    runCommand('python3', [path.join(cloud, 'check_arguments.py'), folder, path.join(cache, 'typings')], {
      env: { PYTHONPATH: python },
      mend,
    });
  console.log(`✔ ${(await check(cloud)).trim()}`);
  const scratch = mkdtempSync(path.join(tmpdir(), 'tempeh-cloud-'));
  try {
    await wrongOnesAreFound(check, scratch);
    // A copy: Terraform writes beside what it reads.
    const policies = path.join(scratch, 'cloud', 'policies');
    cpSync(path.join(cloud, 'policies'), policies, { recursive: true });
    cpSync(path.join(cloud, '..', 'policies'), path.join(scratch, 'policies'), { recursive: true });
    for (const command of [['init', '-backend=false'], ['validate'], ['test']]) {
      await runCommand(terraform, [`-chdir=${policies}`, ...command, '-no-color'], { mend });
    }
    console.log('✔ policies by role: below the prefix, and of no more than their work takes');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A check that finds nothing checks nothing. */
async function wrongOnesAreFound(
  /** @type {(folder: string) => Promise<string>} */ check,
  /** @type {string} */ scratch,
) {
  const text = readFileSync(path.join(cloud, 'storage.tf'), 'utf8');
  for (const [right, wrong, word] of [
    ['days_after_initiation', 'days_after_initiatoin', /no argument days_after_initiatoin/],
    ['expired_object_delete_marker = true', 'days = 30', /expires or moves objects that are current/],
    [/ +target_key_id = .*\n/, '', /target_key_id is missing/],
  ]) {
    const folder = mkdtempSync(path.join(scratch, 'wrong-'));
    for (const name of readdirSync(cloud))
      if (name.endsWith('.tf')) copyFileSync(path.join(cloud, name), path.join(folder, name));
    writeFileSync(path.join(folder, 'storage.tf'), text.replace(right, String(wrong)));
    const said = await check(folder).catch((error) =>
      error instanceof SetupError ? String(error.output) : Promise.reject(error),
    );
    if (!(/** @type {RegExp} */ (word).test(said)))
      throw new SetupError(`Not found: ${word}. The check said: ${said}`, mend);
  }
  console.log('✔ a misspelt argument, one that is missing and an expiry of checkpoints are found');
}

/** @param {readonly string[]} programs */
async function found(programs) {
  for (const program of programs) {
    const version = await runCommand(program, ['version'], { mend: '' }).catch(() => null);
    if (version !== null) return program;
  }
  throw new SetupError(`Neither ${programs.join(' nor ')} is installed.`, 'Install one of them: version 1.6 or later.');
}

/** @returns {Promise<string>} the folder of the cache with typings and the reader of HCL */
async function prepared() {
  const hash = createHash('sha256').update(JSON.stringify([typings, requirements]));
  const folder = path.join(cacheDirectory, `cloud-schema-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  console.log('Fetching the provider’s schema: once, 37 MB.');
  mkdirSync(cacheDirectory, { recursive: true });
  await makeCacheEntry(folder, async ({ result, scratch }) => {
    const named = await runCommand('npm', ['pack', '--silent', '--pack-destination', scratch, typings.package], {
      cwd: scratch,
      mend: onNetwork,
    });
    const archive = path.join(scratch, named.trim());
    const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (sha256 !== typings.sha256)
      throw new SetupError(`${typings.package} has the SHA-256 ${sha256}; expected ${typings.sha256}.`, onNetwork);
    await runCommand('tar', ['xzf', archive, '-C', scratch, '--wildcards', ...typings.members], { mend: onNetwork });
    cpSync(path.join(scratch, 'package', 'lib'), path.join(result, 'typings'), { recursive: true });
    const list = path.join(scratch, 'requirements.txt');
    writeFileSync(list, requirements);
    const target = ['--target', path.join(result, 'python')];
    await runCommand(
      'python3',
      ['-m', 'pip', 'install', '-q', '--no-deps', '--require-hashes', ...target, '-r', list],
      { mend: onNetwork },
    );
  });
  return folder;
}
