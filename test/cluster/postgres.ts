import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { choosePorts, loopback } from '../../infra/services/index.js';
import { Program } from '../support/servers/program.js';

/** PostgreSQL with its data in a folder of its own, on the loopback address. */
export class Postgres {
  private constructor(
    readonly port: number,
    private readonly program: Program,
  ) {}

  /** @param folder of nobody else's. */
  static async start(folder: string, logFile: string): Promise<Postgres> {
    const initdb = binary('initdb');
    const user = otherUser();
    if (user !== null) chownSync(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    runAs(user, initdb, ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C']);
    const [port = 0] = await choosePorts([0]);
    const options = [...['-D', data, '-p', String(port), '-c', `listen_addresses=${loopback}`], ...['-k', folder]];
    const [name = '', ...args] = commandAs(user, binary('postgres'), options);
    const program = new Program({
      name: 'PostgreSQL',
      command: [name, ...args],
      port,
      logFile,
      // SIGTERM would wait for the clients to go.
      end: () => runAs(user, binary('pg_ctl'), ['-D', data, '-m', 'fast', '-w', 'stop']),
    });
    await program.start();
    return new Postgres(port, program);
  }

  async restart(): Promise<void> {
    await this.program.stop();
    await this.program.start();
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: then as the user that its package made, else as nobody. null: as we are. */
function otherUser(): User | null {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag: string, name: string): number => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {
      // There is no such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody.');
}

function commandAs(user: User | null, program: string, args: readonly string[]): string[] {
  if (user === null) return [program, ...args];
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', program, ...args];
}

function runAs(user: User | null, program: string, args: readonly string[]): void {
  const [name = '', ...rest] = commandAs(user, program, args);
  execFileSync(name, rest, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
}

/** In the path, or where Debian has the servers. */
function binary(name: string): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed: apt-get install postgresql (12 or later).`);
  return found;
}
