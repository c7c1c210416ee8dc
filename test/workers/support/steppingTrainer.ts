/**
 * A child process that counts steps and keeps the count in a file, as a trainer keeps its checkpoints: for tests of what
 * is around a trainer. It behaves as the environment's TEMPEH_TEST_BEHAVIOUR says, in its first attempt.
 */
import { existsSync, readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageProgress, TrainerCommand, TrainerEvent, TrainingJob } from '../../../training/process/protocol.js';

const stepMilliseconds = 10;
const checkpointEvery = 20;

function send(event: TrainerEvent, then?: () => void): void {
  if (process.connected) process.send?.(event, undefined, undefined, then);
}

function train(job: TrainingJob): void {
  const { stage, workingDirectory, configuration } = job;
  const saved = join(workingDirectory, `${stage}.step`);
  mkdirSync(workingDirectory, { recursive: true });
  writeFileSync(join(workingDirectory, `${stage}.pid`), String(process.pid));
  const { CUDA_VISIBLE_DEVICES: device, TEMPEH_SLOTS: slots, OMP_NUM_THREADS: threads } = process.env;
  const { TEMPEH_DEVICE_MEMORY: memory } = process.env;
  const seen = { device, slots, threads, memory, cache: job.cache };
  writeFileSync(join(workingDirectory, `${stage}.device`), JSON.stringify(seen));
  const resumed = existsSync(saved);
  const totalSteps = configuration.training[stage].iterations;
  let checkpointStep = resumed ? Number(readFileSync(saved, 'utf8')) : null;
  let step = checkpointStep ?? 0;

  const checkpoint = () => {
    writeFileSync(saved, String(step));
    checkpointStep = step;
    return { step, key: 'k', modelSha256: 'a'.repeat(64) };
  };
  const progress = (): StageProgress => ({
    stage,
    step,
    totalSteps,
    loss: 1 / (step + 1),
    stepsPerSecond: 1000 / stepMilliseconds,
    checkpointStep,
    bytesRead: 0,
    bytesWritten: 0,
    skippedBatches: 0,
  });
  if (process.env['TEMPEH_TEST_BEHAVIOUR'] === 'refused at start') {
    send({ kind: 'failed', fault: 'credentials', message: 'They were never accepted.' }, () => process.exit(1));
    return;
  }
  const timer = setInterval(() => {
    step++;
    if (step % checkpointEvery === 0) send({ kind: 'checkpoint', checkpoint: checkpoint() });
    send({ kind: 'progress', progress: progress() });
    if (!resumed && step === 2 * checkpointEvery) misbehave();
    if (step < totalSteps) return;
    clearInterval(timer);
    const result = { stage, step, loss: 0.1, checkpoint: checkpoint(), seconds: 1 };
    send({ kind: 'finished', result }, () => process.exit(0));
  }, stepMilliseconds);
  const misbehave = () => {
    const fault = process.env['TEMPEH_TEST_BEHAVIOUR'];
    if (fault === undefined) return;
    if (fault === 'warn') return send({ kind: 'warning', message: 'This is a warning.' });
    clearInterval(timer);
    if (fault === 'hang') return;
    if (fault === 'crash loudly') {
      for (let line = 0; line < 40; line++) console.log(`line ${line}: ${'what a library says. '.repeat(60)}`);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
      return;
    }
    if (fault === 'crash') process.kill(process.pid, 'SIGKILL');
    send({ kind: 'failed', fault: fault as 'diverged', message: `This is a fault of ${fault}.` }, () =>
      process.exit(1),
    );
  };
  process.on('message', (command: TrainerCommand) => {
    if (command.kind !== 'stop') return;
    clearInterval(timer);
    send({ kind: 'stopped', step, checkpoint: checkpoint() }, () => process.exit(0));
  });
}

process.on('disconnect', () => process.exit(3));
process.once('message', (command: TrainerCommand) => {
  if (command.kind === 'train') train(command.job);
});
