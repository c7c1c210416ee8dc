import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCacheEntry } from '../../infra/setup/cache/cacheEntry.mjs';
import { runCommand } from '../../infra/setup/commands.mjs';
import { checkProgram, sealProgram } from '../../infra/setup/downloads/programs.mjs';
import { cacheDirectory, packageRoot } from '../../infra/setup/paths.mjs';
import { findGo } from '../../infra/setup/servers/go.mjs';

/** The server as teams run it (the development server is another program), and what prepares its databases. */
export interface BuiltServer {
  readonly server: string;
  readonly sqlTool: string;
  /** With `temporal/versioned` and `visibility/versioned`. */
  readonly schema: string;
}

const recipe = join(packageRoot, 'test', 'cluster', 'server');
const programs = { 'temporal-sql-tool': 'cmd/tools/sql', 'temporal-server': 'cmd/server' };
const module = 'go.temporal.io/server';
const mend = 'Check the network, the Go module proxy (`go env GOPROXY`) and the disk (3 GB), then run it again.';

/** Builds the server at the first time (about 12 minutes on two cores), from modules whose hashes stand in `server/go.sum`. */
export async function builtServer(report: (text: string) => void, signal: AbortSignal): Promise<BuiltServer> {
  const hash = createHash('sha256')
    .update(readFileSync(join(recipe, 'go.sum')))
    .digest('hex');
  const folder = join(cacheDirectory, `temporal-server-${process.arch}-${hash.slice(0, 12)}`);
  if (!existsSync(folder)) {
    report('Building the Temporal server: once, about 12 minutes on two cores.');
    await makeCacheEntry(folder, (workshop) => build(workshop, report, signal));
  }
  const found = { server: join(folder, 'temporal-server'), sqlTool: join(folder, 'temporal-sql-tool') };
  for (const program of Object.values(found)) await checkProgram(program);
  return { ...found, schema: join(folder, 'schema') };
}

async function build(
  { result, scratch }: { result: string; scratch: string },
  report: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const step = { say: report, watch: () => undefined };
  const { minimum } = /^go (?<minimum>[\d.]+)$/m.exec(readFileSync(join(recipe, 'go.mod'), 'utf8'))!.groups!;
  const go = await findGo(minimum!, scratch, step, signal);
  for (const name of ['go.mod', 'go.sum', 'tools.go']) copyFileSync(join(recipe, name), join(scratch, name));
  const env = {
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOROOT: undefined,
    GOBIN: undefined,
  };
  const run = (...args: string[]): Promise<string> => runCommand(go, args, { cwd: scratch, env, signal, mend });
  for (const [name, path] of Object.entries(programs)) {
    report(`compiling ${name}`);
    const output = join(result, name);
    await run('build', '-trimpath', '-ldflags=-s -w', '-o', output, `${module}/${path}`);
    await sealProgram(output);
  }
  const source = (await run('list', '-m', '-f', '{{.Dir}}', module)).trim();
  cpSync(join(source, 'schema', 'postgresql', 'v12'), join(result, 'schema'), { recursive: true });
}
