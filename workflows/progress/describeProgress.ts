import type { RunProgress, StepState } from '../types.js';

/** Progress as Markdown: the current details on a workflow's page in the Temporal UI. */
export function describeProgress(progress: RunProgress): string {
  const rows = progress.steps.map(
    (step) =>
      `| ${step.step} | ${step.state} | ${describeDuration(step)} | ${cell([step.note ?? '', describeInterruptions(step)].filter(Boolean).join('; '))} |`,
  );
  const parts = ['| step | state | time | |\n| --- | --- | --- | --- |\n' + rows.join('\n')];
  const { training, predictions } = progress;
  if (training !== null) {
    const loss = training.loss === null ? '' : `, loss ${training.loss.toPrecision(4)}`;
    const saved = training.checkpointStep === null ? '' : `, checkpoint at ${training.checkpointStep}`;
    parts.push(`**${training.stage}**: step ${training.step} of ${training.totalSteps}${loss}${saved}`);
  }
  if (predictions !== null) parts.push(`**predictions**: ${predictions.done} of ${predictions.total} frames`);
  if (progress.paused) parts.push('Paused. To go on: send the update `resume`, or `tempeh-flow resume RUN`.');
  else if (progress.steps.some(({ state }) => state === 'running')) {
    parts.push('What runs now: the heartbeats of the pending activities, here or in `tempeh-flow status RUN`.');
  }
  return parts.join('\n\n');
}

function describeDuration({ seconds }: StepState): string {
  if (seconds === null) return '';
  if (seconds < 120) return `${seconds} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${minutes.toFixed(1)} min` : `${(minutes / 60).toFixed(1)} h`;
}

function describeInterruptions({ interruptions }: StepState): string {
  if (interruptions === undefined) return '';
  const { preemptions, failures } = interruptions;
  return `${preemptions} pre-emptions, ${failures} failures`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
