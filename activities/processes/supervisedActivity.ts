import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Serializable } from 'node:child_process';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { clockProblem } from '../../storage/s3/clock.js';
import { LogParts } from '../../checkpoints/logs/logParts.js';
import { attemptBegins, attemptEnds } from '../../checkpoints/logs/attemptLines.js';
import { attemptLogName } from '../../checkpoints/logs/readLogs.js';
import { graceOf } from '../../configs/grace.js';
import { environmentFor } from '../../configs/processEnvironment.js';
import { threadsOf } from '../../configs/slots.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { PredictionProgress } from '../../inference/protocol.js';
import type { ObjectStore } from '../../storage/types.js';
import type { AttemptsReport, StageProgress } from '../../training/process/protocol.js';
import type { Device, DevicePool } from '../devices.js';
import { Attempts, reasonLine } from './attempts.js';
import { BoundedLog } from './boundedLog.js';
import type { Fitness, Obstacle } from '../fitness.js';
import { blameWorker } from './blame.js';
import { interruptionsBefore, type CountedBefore } from '../waiting/interruptions.js';
import { StageMetrics, type ProcessEndKind } from './stageMetrics.js';
import { blamedEnd, endKind, endReason, failureOf, type ProcessEvent } from './processEnds.js';
import { superviseProcess } from './processSupervisor.js';
import type { AttemptRecord, MaybeInterrupted } from '../types.js';
import { workerName } from '../workerName.js';
import { Waiting } from '../waiting/waiting.js';

export interface SupervisedActivity<Progress, Result> {
  readonly kind: 'training' | 'prediction';
  /** Human-readable: `trainer`. */
  readonly name: string;
  readonly modulePath: string;
  readonly configuration: RunConfiguration;
  readonly run: string;
  /** Where its log goes, as `logs/NAME.log`. */
  readonly workingDirectory: string;
  readonly logName: string;
  /** Takes a copy of its log, below `keys.logs(run)`; absent for what is no run. */
  readonly logStore?: ObjectStore;
  readonly start: Serializable;
  readonly readEvent: (message: unknown) => ProcessEvent<Progress, Result> | undefined;
  /** @param report what attempts before this one ended with, and what was warned of, where there was anything. */
  readonly onProgress?: (progress: Progress, report: AttemptsReport) => void;
  /** This worker has had its credentials for the run's store accepted. */
  readonly isProven?: () => boolean;
  /** Told where this worker is at fault, and not the run; absent: the run is. */
  readonly fitness?: Fitness | undefined;
  /** What keeps this worker from the run. */
  readonly runObstacle?: Obstacle;
  /** Lends it what it computes on; absent: it computes on what it finds. */
  readonly devices?: DevicePool | undefined;
  /** The worker is told to stop. */
  readonly stopping: AbortSignal;
}

/** Warnings that go with each report to the workflow, where they stay in two histories; the run keeps more of them. */
const warningsReported = 3;

/**
 * Runs a trainer or predictor for the current activity: heartbeats on what it reports, passes on cancellation and the
 * worker's stop, and turns its end into a result or the failure that Temporal acts rightly on.
 */
export function runSupervised<Progress extends StageProgress | PredictionProgress, Result extends object>(
  activity: SupervisedActivity<Progress, Result>,
): Promise<Result & MaybeInterrupted> {
  const { devices } = activity;
  return devices === undefined
    ? superviseOn(activity, null, {})
    : devices.lend((device, environment) => superviseOn(activity, device, environment));
}

async function superviseOn<Progress extends StageProgress | PredictionProgress, Result extends object>(
  activity: SupervisedActivity<Progress, Result>,
  device: Device | null,
  variables: Readonly<Record<string, string>>,
): Promise<Result & MaybeInterrupted> {
  const context = Context.current();
  const { configuration, name } = activity;
  const about = logContext(activity, context);
  const parts = logParts(activity, about.step);
  const log = new BoundedLog(
    join(activity.workingDirectory, 'logs', `${activity.logName}.log`),
    undefined,
    about,
    (chunk) => parts?.add(chunk),
  );
  let progress: Progress | null = null;
  let starting: string | null = null;
  let warning: string | null = null;
  const metrics = new StageMetrics(context.metricMeter, { run: activity.run, stage: activity.logName });
  let how: ProcessEndKind = 'failed';
  const waiting = new Waiting((text) => void context.log.warn(text, { process: name }));
  const before = context.info.heartbeatDetails as
    | (CountedBefore & {
        progress?: Progress | null;
        attempts?: readonly AttemptRecord[];
        warnings?: readonly string[];
      })
    | undefined;
  const worker = workerName();
  const attempts = new Attempts(before?.attempts ?? [], { attempt: context.info.attempt, worker }, before?.warnings);
  log.note(`attempt ${context.info.attempt} on ${worker}`, 'info', attemptBegins(worker));
  let preemptions = before?.preemptions ?? 0;
  const givenBack = before?.givenBack ?? 0;
  // Until there is something newer, what earlier attempts reached is not forgotten.
  const known = (): Progress | null => progress ?? before?.progress ?? null;
  const worked = (): boolean => known() !== null || activity.isProven?.() === true;
  const ended = (reason: string): void => {
    attempts.ended(reason);
    log.note(`the attempt ended: ${reason}`, 'info', attemptEnds(reasonLine(reason)));
  };
  const warn = (text: string): void => {
    attempts.warning(text);
    metrics.warning();
    log.note(text, 'warn');
    context.log.warn(text);
  };
  let clockTold = false;
  const heartbeat = () => {
    const clock = clockTold ? null : clockProblem();
    if (clock !== null) warn(`Worker ${worker}: ${clock}.`);
    clockTold ||= clock !== null;
    // What it is about to do, until it does it; a warning stays.
    const message = starting ?? warning;
    const told = {
      message,
      ...(warning === null ? {} : { warning }),
      preemptions,
      ...(givenBack > 0 && { givenBack }),
      waitsFor: waiting.message,
      attempts: attempts.list,
      ...(attempts.warnings.length > 0 && { warnings: attempts.warnings }),
      ...(device && { device }),
    };
    // `kind` and `progress` belong together by the two callers' types.
    context.heartbeat({ kind: activity.kind, progress: known(), ...told });
  };
  heartbeat();
  try {
    const end = await superviseProcess<ProcessEvent<Progress, Result>>({
      name,
      modulePath: activity.modulePath,
      environment: {
        ...environmentFor('gpu-process'),
        ...variables,
        ...threadsOf(availableParallelism(), { ...process.env, ...variables }),
        TEMPEH_LOG_CONTEXT: JSON.stringify(about),
      },
      log,
      start: activity.start,
      stop: (reason) => ({ kind: 'stop', reason }),
      readEvent: activity.readEvent,
      isLast: ({ kind }) => kind === 'finished' || kind === 'stopped' || kind === 'failed',
      onEvent: (event) => {
        metrics.heard();
        metrics.waiting(event.kind === 'waiting');
        if (event.kind === 'waiting') waiting.on(event.message);
        else if (event.kind !== 'warning') waiting.over();
        if (event.kind === 'progress') {
          starting = null;
          progress = event.progress;
          if ('step' in event.progress) {
            metrics.progress(event.progress);
            attempts.reached(event.progress.checkpointStep ?? 0, event.progress.step);
          }
          const sum = interruptionsBefore(context.info.attempt, { preemptions, givenBack });
          const last = attempts.lastEnd;
          const were = sum.preemptions + sum.failures > 0;
          activity.onProgress?.(event.progress, {
            ...(were && { interrupted: { ...sum, ...(last !== null && { last }) } }),
            ...(attempts.warnings.length > 0 && { warnings: attempts.warnings.slice(-warningsReported) }),
          });
        }
        if (event.kind === 'starting') starting = event.message;
        if (event.kind === 'warning') {
          warning = event.message;
          attempts.warning(event.message);
          metrics.warning();
          starting = null;
          context.log.warn(event.message, { process: name });
        }
        heartbeat();
      },
      stopSignal: AbortSignal.any([context.cancellationSignal, activity.stopping]),
      // The process ends itself by then, if it can.
      graceSeconds: graceOf()?.killSeconds ?? configuration.checkpoints.graceSeconds + 6,
      // Reported by us, with the process's last lines, before the server notices the missing heartbeat.
      progressTimeoutSeconds: 0.9 * configuration.supervision.progressTimeoutSeconds,
    });
    how = endKind(end);
    const counts = () => ({
      ...interruptionsBefore(context.info.attempt, { preemptions, givenBack }),
      ...(attempts.warnings.length > 0 && { warnings: attempts.warnings }),
    });
    if (end.kind === 'told' && end.event.kind === 'finished') {
      ended('finished');
      // A prediction has thousands of shards: of these only what went wrong is of interest.
      const kept = activity.kind === 'training' ? attempts.list : attempts.list.slice(0, -1);
      return { ...end.event.result, interruptions: { ...counts(), ...(kept.length > 0 && { attempts: kept }) } };
    }
    const saved = end.kind === 'told' && end.event.kind === 'stopped' ? end.event.checkpoint : null;
    // A page that says where it is paused is not to show the checkpoint before.
    const reachedLast = progress as Progress | null;
    if (saved && reachedLast !== null) {
      progress = withCheckpoint(reachedLast, saved.step);
      attempts.reached(saved.step, saved.step);
    }
    const reason = endReason(end, name, log);
    ended(reason);
    const { fitness, runObstacle, workingDirectory: directory } = activity;
    const blame = { fitness, runObstacle, directory, attempts, device, worked: worked(), warn };
    const fault = blamedEnd(end);
    const blamed = fault && (await blameWorker({ ...fault, message: reason }, blame));
    const interruptions = { ...counts(), attempts: attempts.list };
    const reached = { progress, interruptions, worked: worked(), refused: attempts.unfitBefore, blamed };
    const failure = failureOf(end, name, log, context, reached);
    if (failure instanceof ApplicationFailure && failure.type === 'Stopped') preemptions++;
    // The next attempt reads it.
    heartbeat();
    throw failure;
  } finally {
    metrics.ended(how);
    log.close();
    await parts?.close();
  }
}

/** What every line of its log says: whose it is. */
function logContext({ name, run }: { readonly name: string; readonly run: string }, { info }: Context) {
  const step = info.workflowExecution?.workflowId.split('/')[1] ?? 'log';
  return { worker: name, run, step, attempt: info.attempt };
}

function logParts(
  { logStore, run }: { readonly logStore?: ObjectStore; readonly run: string },
  step: string,
): LogParts | null {
  if (logStore === undefined) return null;
  return new LogParts({ store: logStore, run, step, attempt: attemptLogName(new Date(), randomUUID().slice(0, 8)) });
}

/** A stage's progress with the checkpoint that it saved last, which holds all its steps; a prediction has none. */
function withCheckpoint<Progress extends object>(progress: Progress, checkpointStep: number): Progress {
  if (!('checkpointStep' in progress)) return progress;
  return { ...progress, step: checkpointStep, checkpointStep, checkpointAt: new Date().toISOString() };
}
