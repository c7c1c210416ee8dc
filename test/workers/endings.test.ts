import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { main } from '../support/commandLine.js';
import { TemporalFront } from '../support/servers/temporalFront.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

let temporal: TestTemporal;
const started: ChildProcess[] = [];
before(async () => {
  temporal = await startTestTemporal();
});
after(() => temporal.stop());
afterEach(() => {
  for (const worker of started.splice(0)) worker.kill('SIGKILL');
});

const breakableModule = fileURLToPath(new URL('./support/breakableWorker.js', import.meta.url));

function argumentsOf(kind: 'data' | 'gpu', address = temporal.settings.address): string[] {
  const directory = temporaryFolder();
  return ['worker', kind, '--directory', directory, '--address', address, ...(kind === 'gpu' ? ['--cpu'] : [])];
}

/** A worker process; `said` is fulfilled when its log has what is asked for. */
class WorkerProcess {
  log = '';

  constructor(readonly process: ChildProcess) {
    started.push(process);
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
  }

  static start(kind: 'data' | 'gpu', address?: string, stdio: StdioOptions = ['ignore', 'ignore', 'pipe']) {
    return new WorkerProcess(spawn(process.execPath, [main, ...argumentsOf(kind, address)], { stdio }));
  }

  async said(what: RegExp): Promise<void> {
    for (let waited = 0; !what.test(this.log); waited += 50) {
      assert.ok(waited < 60_000 && this.process.exitCode === null, `${what} in ${this.log}`);
      await sleep(50);
    }
  }

  /** Its exit code, and how many seconds it took from now. */
  async ended(): Promise<{ code: number | null; seconds: number }> {
    const from = performance.now();
    const { exitCode, signalCode } = this.process;
    const running = exitCode === null && signalCode === null;
    const signal = AbortSignal.timeout(60_000);
    const [code] = running ? ((await once(this.process, 'exit', { signal })) as [number | null]) : [exitCode];
    return { code, seconds: (performance.now() - from) / 1000 };
  }
}

function breakableWorker(environment: Record<string, string> = {}): WorkerProcess {
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', 'ipc'];
  const env = { ...process.env, ...environment };
  return new WorkerProcess(fork(breakableModule, argumentsOf('data'), { stdio, env }));
}

test('a worker that cannot poll any more says why, and ends with another code than 0', async () => {
  const worker = breakableWorker();
  await worker.said(/ready/);
  worker.process.send('Request unauthorized.');
  const { code, seconds } = await worker.ended();
  assert.equal(code, 1, worker.log);
  // The other worker of the process has stopped in order; the first one's end does not come.
  assert.ok(seconds < 20, `${seconds} s`);
  assert.match(worker.log, /"level":"error".*The worker of tempeh-(data|evaluate)\S* failed: Request unauthorized\./);
});

test('where one of two workers cannot be made, the other is not left, and the reason is reported', async () => {
  const worker = breakableWorker({ UNMADE: 'Not for you.' });
  const { code, seconds } = await worker.ended();
  assert.equal(code, 1, worker.log);
  assert.ok(seconds < 30, `${seconds} s`);
  assert.match(worker.log, /"level":"error".*Not for you\./);
});

test('Ctrl-C under npm, which doubles it, ends a worker in order', async () => {
  const worker = WorkerProcess.start('gpu');
  await worker.said(/ready/);
  worker.process.kill('SIGINT');
  // As near as npm's own is: later, a process that has nothing to save may be past handling signals.
  setTimeout(() => worker.process.kill('SIGINT'), 2);
  const { code, seconds } = await worker.ended();
  assert.equal(code, 0, worker.log);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.match(worker.log, /"message":"stopped"/);
});

test('a terminal that is closed, and takes the reader of the log along, ends a worker in order', async () => {
  const worker = WorkerProcess.start('gpu');
  await worker.said(/ready/);
  worker.process.stderr?.destroy();
  worker.process.kill('SIGHUP');
  assert.equal((await worker.ended()).code, 0);
});

test('a worker whose server takes connections and never answers can be stopped all the same', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const worker = WorkerProcess.start('gpu', `127.0.0.1:${(silent.address() as AddressInfo).port}`);
    await once(silent, 'connection');
    worker.process.kill('SIGTERM');
    const { code, seconds } = await worker.ended();
    assert.equal(code, 0, worker.log);
    assert.ok(seconds < 10, `${seconds} s`);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test('a worker goes on when the disk with its log is full', async () => {
  const front = await TemporalFront.start(temporal.settings.address);
  try {
    const worker = WorkerProcess.start('gpu', front.address, ['ignore', 'ignore', openSync('/dev/full', 'w')]);
    for (let waited = 0; !front.seen.includes('PollActivityTaskQueue'); waited += 50) {
      assert.ok(waited < 30_000 && worker.process.exitCode === null, 'it polls');
      await sleep(50);
    }
    worker.process.kill('SIGTERM');
    assert.equal((await worker.ended()).code, 0);
  } finally {
    await front.stop();
  }
});
