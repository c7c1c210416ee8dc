/** What `--help`, `--version`, `list` and `status` take, beside a Temporal server of this process; prints JSON. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connectClient } from '../../client/connection/client.js';
import { startRun } from '../../client/runs/runs.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { startTemporal } from '../../infra/services/index.js';
import type { CommandFigures } from './figures.js';

const repeats = Number(process.argv[2] ?? 9);
const run = 'measured';
const program = join(packageRoot, 'cli', 'tempeh-flow.mjs');
const directory = await mkdtemp(join(tmpdir(), 'tempeh-bench-command-line-'));
/** Loaded before a command: Node does not report to a parent what its child took. */
const meter = join(directory, 'meter.cjs');
await writeFile(
  meter,
  "process.on('exit', () => require('node:fs').writeSync(3, JSON.stringify(process.cpuUsage())));\n",
);
const temporal = await startTemporal({ directory: join(directory, 'temporal') });
try {
  const { address, namespace } = temporal;
  const client = await connectClient({ address, namespace });
  await startRun(client, { run, configuration: await loadConfiguration('miniature') });
  await client.connection.close();
  const node = await measure('node -e 0', ['-e', '0'], null);
  const quick = 2 * node.processorSeconds + 0.1;
  const ofProgram = (command: string, limit: number): Promise<CommandFigures> =>
    measure(`tempeh-flow ${command}`, [program, ...command.split(' ')], limit);
  const figures = [
    node,
    await ofProgram('--version', quick),
    await ofProgram('--help', quick),
    await ofProgram('list', 0.6),
    await ofProgram(`status ${run}`, 0.6),
  ];
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await temporal.stop();
  await rm(directory, { recursive: true, force: true });
}

async function measure(command: string, args: readonly string[], limitSeconds: number | null): Promise<CommandFigures> {
  const runs: { wall: number; processor: number }[] = [];
  for (let i = 0; i < repeats; i++) runs.push(await runOnce(command, args));
  const sorted = runs.map(({ processor }) => processor).sort((a, b) => a - b);
  const walls = runs.map(({ wall }) => wall).sort((a, b) => a - b);
  const middle = Math.floor(repeats / 2);
  return {
    command,
    processorSeconds: sorted[middle]!,
    leastProcessorSeconds: sorted[0]!,
    wallSeconds: walls[middle]!,
    limitSeconds,
  };
}

/** @throws Error where the command fails: then it did not do what is measured. */
async function runOnce(command: string, args: readonly string[]): Promise<{ wall: number; processor: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ['-r', meter, ...args], {
    env: { ...process.env, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [used, errors, ended] = await Promise.all([
    text(child.stdio[3] as Readable),
    text(child.stdio[2] as Readable),
    once(child, 'close'),
  ]);
  const [code] = ended as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors.trim()}`);
  const { user, system } = JSON.parse(used) as NodeJS.CpuUsage;
  return { wall: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}
