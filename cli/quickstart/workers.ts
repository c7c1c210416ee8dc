import { readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { environmentFor } from '../../configs/processEnvironment.js';
import { startGuarded, type GuardedProcess } from '../../infra/services/index.js';
import { readableLogLine } from '../../text/logLine.js';
import { CommandError } from '../errors.js';
import type { Workspace } from '../machine/workspace.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
/** A trainer saves within its own grace; this is for what hangs. */
const graceSeconds = 40;
/** A worker that dies so often in a row is not restarted any more. */
const deathsInARow = 5;
const longLifeSeconds = 60;

export type WorkerKind = 'data' | 'gpu';

export interface LaunchedWorker {
  readonly kind: WorkerKind;
  readonly logFile: string;
  /** Fulfilled with the reason if the worker dies again and again; never otherwise. */
  readonly lost: Promise<CommandError>;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
}

/**
 * Runs a worker as a process of its own, and starts it again when it dies.
 *
 * @param environment beside ours: addresses and credentials. Of both, it gets what its kind needs.
 * @param onRestart called with why.
 */
export async function launchWorker(
  kind: WorkerKind,
  space: Workspace,
  environment: Readonly<Record<string, string>>,
  onRestart: (message: string) => void,
): Promise<LaunchedWorker> {
  const directory = kind === 'data' ? space.dataWorker : space.gpuWorker;
  for (const folder of [directory, space.logs]) makeFolderSync(folder);
  const logFile = join(space.logs, `${kind}-worker.log`);
  const start = (): Promise<GuardedProcess> =>
    startGuarded({
      program: process.execPath,
      arguments: [
        '--enable-source-maps',
        main,
        'worker',
        kind,
        '--directory',
        directory,
        ...(kind === 'gpu' ? ['--cpu'] : []),
      ],
      environment: {
        ...environmentFor(`${kind}-worker`, { ...withoutTemporal(process.env), ...environment }),
        TEMPORAL_CONFIG_FILE: devNull,
      },
      directory: space.directory,
      logFile,
      graceSeconds,
    });
  let stopping = false;
  let current = await start();
  let lose: (reason: CommandError) => void = () => undefined;
  const lost = new Promise<CommandError>((resolve) => (lose = resolve));

  const watch = async (): Promise<void> => {
    for (let deaths = 0; ;) {
      const startedAt = Date.now();
      const how = await current.ended;
      if (stopping) return;
      deaths = Date.now() - startedAt > longLifeSeconds * 1000 ? 1 : deaths + 1;
      if (deaths >= deathsInARow) {
        return lose(
          new CommandError(`The ${kind} worker ended ${deaths} times in a row (${how}).\n${endOfLog(logFile)}`),
        );
      }
      onRestart(`the ${kind} worker ended (${how}) and is started again; its log: ${logFile}`);
      await sleep(500 * deaths);
      if (stopping) return;
      current = await start();
      // Asked to stop while it was starting.
      if (stopping) await current.stop();
    }
  };
  const watching = watch().catch((error: unknown) => lose(new CommandError(String(error))));
  return {
    kind,
    logFile,
    lost,
    stop: async () => {
      stopping = true;
      await current.stop();
      await watching;
    },
  };
}

/** The user's own settings of Temporal (keys, profiles, versions of workers) are for other servers. */
function withoutTemporal(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

/** The last lines of a log, for an error message. */
export function endOfLog(file: string, lines = 12): string {
  try {
    const end = readFileSync(file, 'utf8').trim().split('\n').slice(-lines);
    return `The end of ${file}:\n${end.map((line) => `  ${readableLogLine(line)}`).join('\n')}`;
  } catch {
    return `There is no log at ${file}.`;
  }
}
