import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { engine, runEngine } from '../../infra/images/engine.mjs';

const program = promisify(execFile);

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  /** Instead of the image's own. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of this machine, or names of volumes, by where they are inside. */
  readonly volumes: Readonly<Record<string, string>>;
}

/** As the chart and compose.yaml have it: a root that nobody writes to, no capability, a small /tmp. */
const confined = [
  ...['--read-only', '--tmpfs', '/tmp:rw,size=2g,mode=1777', '--cap-drop', 'ALL'],
  ...['--security-opt', 'no-new-privileges', '--network', 'host'],
];

/** Far below what podman asks for, which some machines refuse. */
const limits = ['nofile', 'nproc'].flatMap((name) => ['--ulimit', `${name}=16384:16384`]);

/** runc also where cgroups are of both versions; crun does not. */
function runtime(): string[] {
  try {
    execFileSync('runc', ['--version'], { stdio: 'ignore' });
    return ['--runtime', 'runc'];
  } catch {
    return [];
  }
}

const started = new Set<string>();
const volumesMade = new Set<string>();

/** A container of one of our images. */
export class Container {
  private constructor(readonly name: string) {}

  static async start(options: ContainerOptions): Promise<Container> {
    await inEngine(['run', '--detach', '--log-driver', 'k8s-file', ...words(options)]);
    return new Container(options.name);
  }

  /** Runs to its end, and is removed. @returns what it printed. @throws where it exits with another code than 0 */
  static run(options: ContainerOptions): Promise<string> {
    return inEngine(['run', '--rm', ...words(options)]);
  }

  /** All that it has printed. */
  async log(): Promise<string> {
    const { stdout } = await program('sh', ['-c', `${engine} logs "$0" 2>&1`, this.name], { maxBuffer: 1 << 26 });
    return stdout;
  }

  async isRunning(): Promise<boolean> {
    return (await inEngine(['inspect', '--format', '{{.State.Running}}', this.name])) === 'true';
  }

  /** As an orchestrator does it: SIGTERM, and SIGKILL after so many seconds. @returns its exit code */
  async stop(seconds: number): Promise<number> {
    await inEngine(['stop', '--time', String(seconds), this.name]);
    return Number(await inEngine(['inspect', '--format', '{{.State.ExitCode}}', this.name]));
  }
}

/** Beside this process, which serves what containers ask for. */
async function inEngine(command: readonly string[]): Promise<string> {
  const { stdout } = await program(engine, command, { maxBuffer: 1 << 26 });
  return stdout.trim();
}

/** Ends whatever was started here, and removes its volumes. */
export function removeContainers(): void {
  const all = [
    ...[...started].map((name) => ['rm', '--force', '--time', '0', '--ignore', name]),
    ...[...volumesMade].map((name) => ['volume', 'rm', '--force', name]),
  ];
  for (const command of all) {
    try {
      runEngine(command);
    } catch (error) {
      console.error(error);
    }
  }
}

function words({ name, image, command, environment, volumes }: ContainerOptions): string[] {
  started.add(name);
  for (const volume of Object.values(volumes)) if (!volume.startsWith('/')) volumesMade.add(volume);
  return [
    ...['--name', name, ...runtime(), ...limits, ...confined],
    ...Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...Object.entries(volumes).flatMap(([inside, outside]) => ['--volume', `${outside}:${inside}`]),
    image,
    ...command,
  ];
}
