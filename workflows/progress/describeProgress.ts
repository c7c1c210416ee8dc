import type { Interruptions } from '../../activities/types.js';
import type { StageProgress, StageReport } from '../../training/process/protocol.js';
import type { FailedAt, RunProgress, StepState } from '../types.js';

/** What a workflow's page says beside its progress. */
export interface PageContext {
  /** Temporal's namespace, for links. */
  readonly namespace: string;
  /** The page is that of the step itself: its pending activities stand on it. */
  readonly isStep: boolean;
  /** When the workflow was notified of `training`, ms since 1970. */
  readonly toldAt: number | null;
}

/** Progress as Markdown: the current details on a workflow's page in the Temporal UI. */
export function describeProgress(progress: RunProgress, page: PageContext): string {
  const rows = progress.steps.map((step) => {
    // Why it failed stands above.
    const said = step.state === 'failed' ? '' : (step.note ?? '');
    const note = [said, describeInterruptions(step)].filter(Boolean).join('; ');
    return `| ${step.step} | ${apart(step.state)} | ${apart(describeDuration(step))} | ${cell(note)} |`;
  });
  const parts = ['| step | state | time | |\n| --- | --- | --- | --- |\n' + rows.join('\n')];
  const { run, training, predictions } = progress;
  const warnings = progress.steps.flatMap(({ step, interruptions }) => {
    // Those of what runs come with its reports.
    const running = training?.stage === step ? training.warnings : undefined;
    const all = new Set([...(interruptions?.warnings ?? []), ...(running ?? [])]);
    return [...all].map((warning) => `- ${step}: ${cell(warning)}`);
  });
  warnings.unshift(...(progress.warnings ?? []).map((warning) => `- ${cell(warning)}`));
  if (warnings.length > 0) parts.push(`**Warnings**\n\n${warnings.join('\n')}`);
  const running = progress.steps.find(({ state }) => state === 'running')?.step ?? null;
  if (training !== null) parts.push(describeTraining(training, running !== null));
  if (progress.measured) parts.push(describeFrames('measured', progress.measured));
  else if (predictions !== null) parts.push(describeFrames('predictions', predictions));
  const asOf = page.toldAt === null || training === null ? '' : `As of ${minute(page.toldAt)} UTC. `;
  const failed = progress.steps.find(({ state }) => state === 'failed');
  if (failed !== undefined) parts.unshift(describeFailure(run, failed, training));
  else if (progress.failure !== undefined) {
    const where = describeFailedAt(progress.failed);
    parts.unshift(`**Failed${where}: ${cell(progress.failure)}** ${howToGoOn(run)}`);
  }
  if (progress.paused) {
    parts.push(`${asOf}**Paused.** To go on: \`tempeh-flow unpause ${run}\`, or the update \`unpause\` of this page.`);
  } else if (running !== null) {
    const newer = page.isStep
      ? 'the heartbeat in the tab _Pending Activities_'
      : `[the page of ${running}](/namespaces/${page.namespace}/workflows/${encodeURIComponent(`${run}/${running}`)})`;
    parts.push(`${asOf}What is newer: ${newer}, or \`tempeh-flow status ${run} --follow\`.`);
  }
  return parts.join('\n\n');
}

/** What failed, where, and how to go on: a person is needed. */
function describeFailure(
  run: string,
  { step, note, interruptions, failed }: StepState,
  training: (StageProgress & StageReport) | null,
): string {
  const trained = interruptions?.attempts?.at(-1)?.worker ?? (training?.stage === step ? training.worker : undefined);
  const worker = failed?.worker ?? trained;
  const where = describeFailedAt({ ...failed, ...(worker !== undefined && { worker }) });
  const logs = ['dataset', 'evaluation'].includes(step) ? '' : ` What it logged: \`tempeh-flow logs ${run} ${step}\`.`;
  return `**${step} failed${where}: ${cell(note ?? '')}** ${howToGoOn(run)}${logs}`;
}

/** ` on HOST:PID, 2026-11-29 22:24 UTC`, as far as it is known. */
function describeFailedAt({ at, worker }: Partial<FailedAt> = {}): string {
  const on = worker === undefined ? '' : ` on ${cell(worker)}`;
  return at === undefined ? on : `${on}, ${minute(Date.parse(at))} UTC`;
}

const howToGoOn = (run: string): string => `Once that is mended: \`tempeh-flow resume ${run}\`.`;

function describeTraining(training: StageProgress & StageReport, isRunning: boolean): string {
  const { stage, step, totalSteps, loss, stepsPerSecond, validation } = training;
  const { worker, attempt, interrupted } = training;
  const left = (totalSteps - step) / stepsPerSecond;
  const figures = [
    `**${stage}: ${Math.floor((100 * step) / Math.max(1, totalSteps))} %**, step ${grouped(step)} of ${grouped(totalSteps)}`,
    isRunning && stepsPerSecond > 0 ? `${stepsPerSecond.toPrecision(2)} steps/s, ${seconds(left)} left` : '',
    loss === null ? '' : `loss ${loss.toPrecision(4)}`,
    validation ? describeValidation(validation) : '',
    describeCheckpoint(training),
    isRunning && interrupted !== undefined ? describeCounts(interrupted, interrupted.last) : '',
    worker === undefined ? '' : `on ${cell(worker)}${attempt === undefined ? '' : `, attempt ${attempt}`}`,
  ];
  return figures.filter((figure) => figure !== '').join(' · ');
}

/** @param checkpointAt by the clock of the worker, whose text is not trusted to be a time. */
function describeCheckpoint({ checkpointStep, checkpointAt = '' }: StageProgress): string {
  if (checkpointStep === null) return 'no checkpoint yet';
  const at = Date.parse(checkpointAt);
  return `last checkpoint at step ${grouped(checkpointStep)}${Number.isNaN(at) ? '' : `, ${minute(at)} UTC`}`;
}

function describeValidation({ step, loss, pointToSurface }: NonNullable<StageProgress['validation']>): string {
  const distance = pointToSurface === null ? '' : `, ${pointToSurface.toFixed(2)} mm to the scans`;
  return `validation at step ${grouped(step)}: loss ${loss.toPrecision(4)}${distance}`;
}

function describeFrames(what: string, { done, total }: { readonly done: number; readonly total: number }): string {
  const share = Math.floor((100 * done) / Math.max(1, total));
  return `**${what}: ${share} %**, ${grouped(done)} of ${grouped(total)} frames`;
}

function describeDuration(step: StepState): string {
  return step.seconds === null ? '' : seconds(step.seconds);
}

function seconds(count: number): string {
  if (count < 120) return `${Math.round(count)} s`;
  const minutes = count / 60;
  return minutes < 120 ? `${minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;
}

function describeInterruptions({ interruptions }: StepState): string {
  if (interruptions === undefined) return '';
  const { preemptions, failures, attempts = [] } = interruptions;
  if (preemptions + failures === 0) return '';
  const last = attempts.findLast(({ end }) => end !== null && end !== 'finished')?.end;
  return describeCounts({ preemptions, failures }, last ?? undefined);
}

/** `2 pre-emptions, 1 failure, the last: …` */
function describeCounts(counts: Pick<Interruptions, 'preemptions' | 'failures'>, last: string | undefined): string {
  const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  const { preemptions, failures } = counts;
  const sum = `${several(preemptions, 'pre-emption')}, ${several(failures, 'failure')}`;
  return `${sum}${last === undefined ? '' : `, the last: ${cell(last)}`}`;
}

/** 1,234,567: the sandbox of workflows knows one locale. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const minute = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

/** The UI's tables have no space between their columns. */
const apart = (text: string): string => (text === '' ? '' : `\u00a0${text}\u00a0`);

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
