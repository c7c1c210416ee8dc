import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../configs/packageRoot.js';
import { main } from '../support/commandLine.js';
import { smallMiniature } from '../support/tiny/smallMiniature.js';

/** The miniature's miniature: 16 frames. */
const miniature = JSON.stringify(
  smallMiniature({
    subjects: { train: 3, validation: 1, test: 1 },
    framesPerSequence: { train: 4, validation: 2, test: 2 },
    scanPoints: 1000,
  }),
);

/** `npm start` as a user has it in a terminal: the leader of a process group, which Ctrl-C reaches as a whole. */
export class Launcher {
  output = '';
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  /** @param marker in the environment of everything that is started, to find it by. */
  constructor(directory: string, marker: string, options: readonly string[] = []) {
    const config = join(packageRoot, 'test', 'chain', 'chain.yaml');
    const args = ['quickstart', '--directory', directory, '--config', config, '--miniature', miniature, ...options];
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, TEMPEH_TEST_MARKER: marker },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const read = (text: string): void => void (this.output += text);
    this.child.stdout?.setEncoding('utf8').on('data', read);
    this.child.stderr?.setEncoding('utf8').on('data', read);
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Waits until the output has it. @throws Error when it does not come, or the program ends before. */
  async until(pattern: RegExp, seconds = 120): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!pattern.test(this.output)) {
      if (this.child.exitCode !== null) throw new Error(`It ended before ${pattern}:\n${this.output}`);
      if (Date.now() > deadline) throw new Error(`${pattern} did not come within ${seconds} s:\n${this.output}`);
      await sleep(100);
    }
  }

  /** Ctrl-C. */
  interrupt(): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGINT');
  }

  /** For the end of a test that failed. */
  kill(): void {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes with a word in their environment or command line, this one left out. */
export function processesWith(words: readonly string[]): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      if (command === '' || !words.some((word) => command.includes(word) || environment.includes(word))) continue;
      found.push({ pid: Number(name), command });
    } catch {
      // It has ended meanwhile, or is not ours.
    }
  }
  return found;
}
