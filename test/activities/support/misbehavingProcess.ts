/**
 * A child process that behaves as the environment's TEMPEH_TEST_BEHAVIOUR says: what a supervisor has to live with. Speaks the
 * trainer's protocol; a test's subject, not a stand-in for the trainer.
 */
import { overtimeExitCode } from '../../../activities/processes/overtime.js';
import { spawn } from 'node:child_process';
import { writeFileSync, writeSync } from 'node:fs';

const behaviour = process.env['TEMPEH_TEST_BEHAVIOUR'] ?? '';
const send = (message: unknown) => void process.send?.(message);
const progress = (step: number) => ({ kind: 'progress', progress: { step } });
setInterval(() => {}, 1000);
// As the real ones do: whoever supervised is gone.
process.on('disconnect', () => process.exit(3));

function finish(message: unknown, code = 0): void {
  process.send?.(message, () => process.exit(code));
}

const behaviours: Readonly<Record<string, () => void>> = {
  finishes() {
    console.log(`working in ${process.cwd()}`);
    send(progress(1));
    send(progress(2));
    finish({ kind: 'finished', result: { step: 2 } });
  },
  'exits with a code'() {
    console.error('about to fail: out of disk');
    process.exit(7);
  },
  'crashes natively'() {
    send(progress(1));
    setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 100);
  },
  hangs() {
    send(progress(1));
  },
  'talks nonsense'() {
    for (const nonsense of [
      null,
      'text',
      42,
      { kind: 'unknown' },
      { kind: 'progress' },
      { kind: 'progress', progress: null },
    ]) {
      send(nonsense);
    }
    const timer = setInterval(() => send({ kind: 'unknown' }), 50);
    timer.unref();
  },
  'writes garbage to the channel'() {
    writeSync(Number(process.env['NODE_CHANNEL_FD'] ?? 3), 'garbage that is no message\n');
  },
  'stops in order'() {
    let step = 0;
    setInterval(() => send(progress(++step)), 20);
    process.on('message', (message: { kind?: string; reason?: string }) => {
      if (message.kind === 'stop') finish({ kind: 'stopped', step, checkpoint: null, reason: message.reason });
    });
  },
  'gives up when its grace is over'() {
    setInterval(() => send(progress(1)), 20);
    process.on('message', (message: { kind?: string }) => {
      if (message.kind === 'stop') process.exit(overtimeExitCode);
    });
  },
  'ignores every stop'() {
    process.on('SIGTERM', () => send({ kind: 'warning', message: 'no' }));
    setInterval(() => send(progress(1)), 20);
  },
  'does not exit after its end'() {
    send({ kind: 'finished', result: { step: 1 } });
  },
  'leaves a process behind'() {
    const loader = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    writeFileSync(process.env['LEFT_BEHIND'] ?? '', String(loader.pid));
    loader.unref();
    finish({ kind: 'finished', result: { step: 1 } });
  },
  'tells its environment'() {
    finish({ kind: 'finished', result: { secret: process.env['SECRET'], execArgv: process.execArgv } });
  },
};

process.once('message', () => behaviours[behaviour]?.());
