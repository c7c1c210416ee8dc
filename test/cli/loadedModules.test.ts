import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { tempehFlowAlone } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** What would make a command slow that has no use for it: hundreds of milliseconds each. */
const heavy = [
  '@aws-sdk',
  '@smithy',
  '@tensorflow',
  '@opentelemetry',
  'sharp',
  'zod',
  'yaml',
  'worker',
  'proto-loader',
] as const;

interface Loaded {
  /** As `import` does. */
  readonly imported: readonly string[];
  readonly required: readonly string[];
  /** Names of packages, `@temporalio/client` as `client`; of either kind. */
  readonly packages: ReadonlySet<string>;
}

describe('what a command loads', () => {
  let folder: string;
  before(async () => {
    folder = temporaryFolder();
  });

  async function loadedBy(args: readonly string[], expectedCode: number): Promise<Loaded> {
    const file = join(folder, args.join(' ').replaceAll('/', ' '));
    const { code, stderr } = await tempehFlowAlone(args, {
      TEMPEH_LOADED: file,
      NODE_OPTIONS: `--import ${new URL('./support/tellLoaded.js', import.meta.url).href}`,
    });
    assert.equal(code, expectedCode, stderr);
    const lines = (await readFile(file, 'utf8')).split('\n');
    const of = (kind: string) => lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length));
    const packages = lines.flatMap((line) => {
      const [, scope, name] = /.*\/node_modules\/(?:(@[^/]+)\/)?([^/]+)\//.exec(line) ?? [];
      return name === undefined ? [] : [name, ...(scope === undefined ? [] : [scope])];
    });
    return { imported: of('imported '), required: of('required '), packages: new Set(packages) };
  }

  const without = (packages: ReadonlySet<string>, names: readonly string[]): void =>
    assert.deepEqual(
      names.filter((name) => packages.has(name)),
      [],
    );

  for (const args of [['--help'], ['--version']]) {
    test(`${args.join(' ')}: no command's own file, nothing of Temporal, no schema`, async () => {
      const { imported, packages } = await loadedBy(args, 0);
      assert.ok(packages.has('yargs'), 'something was seen');
      without(packages, [...heavy, '@temporalio', '@grpc']);
      assert.deepEqual(
        imported.filter((url) => url.includes('/build/cli/commands/')),
        [],
      );
    });
  }

  for (const args of [['list'], ['status', 'some-run']]) {
    test(`${args.join(' ')}: Temporal's client only, and that by require`, async () => {
      // Nothing listens there: all is loaded by then.
      const { imported, required, packages } = await loadedBy([...args, '--address', '127.0.0.1:1'], 3);
      assert.ok(
        required.some((file) => file.includes('/@temporalio/client/')),
        'something was seen',
      );
      without(packages, heavy);
      // Imported, Node would parse all that it re-exports a second time.
      assert.deepEqual(
        imported.filter((url) => /@temporalio\/(client|common)\//.test(url)),
        [],
      );
      const commands = imported.filter((url) => url.includes('/build/cli/commands/'));
      assert.equal(commands.length, 1, commands.join(', '));
    });
  }
});
