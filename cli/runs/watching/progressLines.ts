import type { TransferProgress } from '../../../datasets/fetch/progress.js';
import type { PredictionProgress } from '../../../inference/protocol.js';
import type { StageProgress } from '../../../training/process/protocol.js';
import type { StepState } from '../../../workflows/types.js';
import type { RunDescription } from '../../../client/runs/describeRun.js';
import { devicesOf } from '../../../client/runs/devices.js';
import type { PendingActivity } from '../../../client/runs/pendingActivities.js';
import { printable } from '../../../text/printable.js';
import { activityNames } from './activityNames.js';
import { secondsLeft, type OutlookBasis } from './outlook.js';
import { nextAttempt, pastWarnings, troubles } from './troubles.js';
import { queueLines } from './queueLines.js';
import { bytes, columns, styled } from '../../terminal/terminal.js';
import { duration, expectation } from '../../../text/duration.js';

const marks: Readonly<Record<StepState['state'], string>> = {
  waiting: '·',
  running: '▸',
  paused: '‖',
  done: '✔',
  failed: '✘',
  cancelled: '✘',
  'left out': '–',
};
const colours = { done: 'green', running: 'cyan', paused: 'yellow', failed: 'red', cancelled: 'red' } as const;

/**
 * A run as lines of a terminal: one a step, with what the running one is at; then what went wrong lately.
 *
 * @param basis null: when the whole run will be done is not shown.
 */
export function progressLines(answered: RunDescription, now = Date.now(), basis: OutlookBasis | null = null): string[] {
  const progress = answered.progress ?? answered.recorded ?? null;
  const description = { ...answered, progress };
  const unanswered = answered.progress === null ? unansweredLines(answered) : [];
  if (progress === null) return unanswered;
  const rows = progress.steps.map((step) => {
    const notes = [stepNote(step, description, now), devicesNote(step, description), interruptionsNote(step)];
    const note = notes.filter((part) => part !== '').join('; ');
    return [`  ${marked(step.state)}`, step.step, secondsOf(step, now), note];
  });
  return [
    ...unanswered,
    ...columns(rows, [2]).split('\n'),
    ...wholeRun(description, basis, now),
    ...(unanswered.length > 0 ? [] : queueLines(description)),
    ...troubles(description, now),
    ...pastWarnings(description),
  ];
}

/** The sign of a state, in its colour. */
export function marked(state: StepState['state']): string {
  return styled(state in colours ? colours[state as keyof typeof colours] : 'dim', marks[state]);
}

/** The step that a run is at and where it is in it: a line of a series. */
export function currentStep(description: RunDescription, now: number): string {
  const step = description.progress?.steps.find(({ state }) => state === 'running' || state === 'paused');
  if (step === undefined) return '';
  const notes = [stepNote(step, description, now), devicesNote(step, description), interruptionsNote(step)];
  return [step.step, ...notes].filter((part) => part !== '').join('  ');
}

/** When all of it will be done; of a run of one step its own line says that. */
function wholeRun(description: RunDescription, basis: OutlookBasis | null, now: number): string[] {
  const { progress, activities } = description;
  const heardAt = lastHeardOf(activities);
  if (basis === null || progress === null || progress.steps.length === 1) return [];
  const seconds = secondsLeft(description, basis);
  const waits = activities.some(({ type, state }) => type === 'trainStage' && state === 'waiting');
  if (seconds === null || waits || (heardAt !== null && now - heardAt.getTime() > silence)) return [];
  return [`    whole run  about ${expectation(seconds)} left`];
}

/** Milliseconds of silence after which a rate is out of date. */
const silence = 15_000;

/** What a step is at, or what it did. */
function stepNote(step: StepState, { progress, activities }: RunDescription, now = Date.now()): string {
  const { training = null, predictions = null } = progress ?? {};
  const stands = step.state === 'paused' || step.state === 'cancelled';
  if (stands && training?.stage === step.step) return trainingNote(training, null, now, true);
  // Why a step failed stands whole below.
  if (step.state === 'failed') return printable(step.note ?? '', longestEnd);
  if (step.state !== 'running') return step.note ?? '';
  if (training?.stage === step.step) {
    const trainer = activities.find(({ type }) => type === 'trainStage');
    if (trainer?.state === 'waiting') return trainingNote(training, null, now, true, nextAttempt(trainer, now));
    return trainingNote(training, lastHeardOf(activities), now);
  }
  // A workflow of one step is the step: all activities are its own.
  const isWhole = progress?.steps.length === 1;
  const own = activities.filter(({ workflowId }) => isWhole || workflowId.endsWith(`/${step.step}`));
  const measured = progress?.measured;
  if (measured && step.step === 'evaluation' && measured.done < measured.total) return measuredNote(measured);
  const transfer = own.map(({ heartbeat }) => heartbeat).find((heartbeat) => heartbeat?.kind === 'transfer');
  if (transfer !== undefined) return transferNote(own[0]?.type ?? '', transfer.progress);
  if (predictions !== null && (step.step === 'predictions' || step.step === 'evaluation')) {
    return `${bar(predictions.done / Math.max(1, predictions.total))}  ${predictions.done} of ${predictions.total} frames`;
  }
  // Of one that waits it is what its attempt before said.
  const running = own.filter(({ state }) => state !== 'waiting');
  const message = running.map(({ heartbeat }) =>
    heartbeat !== null && 'message' in heartbeat ? heartbeat.message : null,
  );
  return message.find((text) => text !== null) ?? beginningNote(running[0] ?? own[0], step);
}

function beginningNote(activity: PendingActivity | undefined, { note }: StepState): string {
  return activity === undefined ? (note ?? '') : beginning(activity);
}

/** What has not said anything yet. */
function beginning({ type, state }: PendingActivity): string {
  return state === 'running' ? (activityNames[type] ?? 'starting') : 'waits for a worker';
}

function measuredNote({ done, total, skipped, framesPerSecond }: PredictionProgress): string {
  const left = framesPerSecond > 0 && done > skipped ? `${duration((total - done) / framesPerSecond)} left` : '';
  return [bar(done / Math.max(1, total)), 'measuring', `${done} of ${total} test frames`, left]
    .filter((part) => part !== '')
    .join('  ');
}

/** What matters least is last: a narrow terminal cuts it off. */
function trainingNote(
  training: StageProgress,
  heardAt: Date | null,
  now: number,
  isPaused = false,
  waits = '',
): string {
  const { step: done, totalSteps, loss, stepsPerSecond, validation } = training;
  const share = done / Math.max(1, totalSteps);
  const silentFor = heardAt === null ? 0 : now - heardAt.getTime();
  const rate =
    silentFor > silence
      ? [styled('yellow', `last heard of ${duration(silentFor / 1000)} ago`)]
      : stepsPerSecond > 0 && !isPaused
        ? [`${expectation((totalSteps - done) / stepsPerSecond)} left`, `${stepsPerSecond.toPrecision(2)} steps/s`]
        : [];
  const distance = validation?.pointToSurface;
  return [
    `${barWidth() === 0 ? '' : `${bar(share, barWidth())} `}${Math.floor(100 * share)} %`,
    `step ${done} of ${totalSteps}`,
    waits,
    ...rate,
    loss === null ? '' : `loss ${loss.toPrecision(3)}`,
    typeof distance === 'number' ? `validation ${distance.toFixed(2)} mm` : '',
    checkpointNote(training, now),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** `checkpoint 20, 3 min ago`: the clocks of two machines may differ by seconds. */
function checkpointNote({ checkpointStep, checkpointAt = '' }: StageProgress, now: number): string {
  if (checkpointStep === null) return '';
  const age = now - Date.parse(checkpointAt);
  return `checkpoint ${checkpointStep}${Number.isNaN(age) ? '' : `, ${duration(Math.max(0, age) / 1000)} ago`}`;
}

/** When a trainer that runs was last heard of. */
function lastHeardOf(activities: readonly PendingActivity[]): Date | null {
  return activities.find(({ type, state }) => type === 'trainStage' && state === 'running')?.heartbeatAt ?? null;
}

/** `on GPU 0, NVIDIA H200`; several joined by `; `. Empty where nothing computes, or on the processor. */
function devicesNote({ step, state }: StepState, { progress, activities }: RunDescription): string {
  if (state !== 'running') return '';
  const isWhole = progress?.steps.length === 1;
  const devices = devicesOf(activities.filter(({ workflowId }) => isWhole || workflowId.endsWith(`/${step}`)));
  return devices.length === 0 ? '' : `on ${devices.join('; ')}`;
}

/** How far a transfer is. */
export function transferNote(
  type: string,
  { doneBytes, totalBytes, doneFiles, totalFiles, current }: TransferProgress,
): string {
  const share = totalBytes ? doneBytes / totalBytes : totalFiles ? doneFiles / totalFiles : null;
  return [
    share === null ? '' : bar(share),
    activityNames[type] ?? type,
    doneBytes > 0 ? bytes(doneBytes) : '',
    totalFiles === null ? '' : `${doneFiles} of ${totalFiles}`,
    current,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** Columns of a bar beside which there is much to say: on a narrow terminal steps and time left come first. */
function barWidth(): number {
  const width = process.stdout.columns ?? 120;
  return width < 90 ? 0 : width < 110 ? 10 : 20;
}

export function bar(share: number, width = 20): string {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  return styled('cyan', '━'.repeat(full)) + styled('dim', '─'.repeat(width - full));
}

function secondsOf({ state, seconds, startedAt, secondsBefore = 0 }: StepState, now: number): string {
  if (seconds !== null) return duration(seconds);
  if (startedAt === null || (state !== 'running' && state !== 'paused')) return '';
  return duration(secondsBefore + Math.max(0, (now - Date.parse(startedAt)) / 1000));
}

/** That what is shown is not the workflow's own answer, and whom it takes to have that. */
function unansweredLines(description: RunDescription): string[] {
  const { status, failure, recorded } = description;
  if (status === 'RUNNING') {
    const lines = queueLines(description);
    return lines.length > 0 ? lines : ['  waiting for a data worker to answer (tempeh-flow worker data)'];
  }
  if (recorded !== undefined) return [styled('dim', '  no data worker answers: this is what Temporal has of it')];
  return [`  ${status.toLowerCase()}${failure === null ? '' : `: ${failure}`}`];
}

/** `1 pre-emption, 2 failures`; what did not happen is left out. */
function interruptionsNote({ interruptions }: StepState): string {
  const { preemptions = 0, failures = 0 } = interruptions ?? {};
  return [
    preemptions === 0 ? '' : `${preemptions} pre-emption${preemptions === 1 ? '' : 's'}`,
    failures === 0 ? '' : `${failures} failure${failures === 1 ? '' : 's'}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** Characters of why a step failed, in its row. */
const longestEnd = 80;
