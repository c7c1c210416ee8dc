import type { PredictionProgress, PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import type { FolderPredictionSummary } from '../../workflows/types.js';
import { frameName } from '../../datasets/layout.js';
import { LiveDisplay } from '../terminal/liveDisplay.js';
import { bar } from '../runs/watching/progressLines.js';
import { styled } from '../terminal/terminal.js';
import { duration } from '../../text/duration.js';

/** Shows what a prediction is at: a line that changes, and above it what happened to single frames. */
export class PredictionDisplay {
  private readonly live = new LiveDisplay();
  private doing: string | null = null;
  private progress: PredictionProgress | null = null;

  show(event: PredictorEvent): void {
    switch (event.kind) {
      case 'starting':
        this.doing = event.message;
        break;
      case 'warning':
      case 'waiting':
        this.live.print(`  ${styled('yellow', '!')} ${event.message}`);
        break;
      case 'progress':
        // What it was about to start, it does.
        if (this.progress !== null) this.doing = null;
        this.progress = event.progress;
        break;
      default:
        return;
    }
    // Off a terminal a new line comes with each thing that is started, and now and then.
    this.live.show([this.line()], () => this.doing?.replace(/\d/g, '') ?? 'frames');
  }

  end(): void {
    this.live.finish();
  }

  private line(): string {
    if (this.progress === null) return `  ${this.doing ?? ''}`;
    const parts = [progressLine(this.progress), ...(this.doing === null ? [] : [this.doing])];
    return `  ${parts.join('  ')}`;
  }
}

/** `━━━━──── 12 of 40 frames  0.5 frames/s  56 s left` */
function progressLine({ done, total, framesPerSecond }: PredictionProgress): string {
  return [
    bar(done / Math.max(1, total)),
    `${done} of ${total} frames`,
    ...(framesPerSecond > 0 ? [rate(framesPerSecond), `${duration((total - done) / framesPerSecond)} left`] : []),
  ].join('  ');
}

function rate(framesPerSecond: number): string {
  if (framesPerSecond >= 1) return `${framesPerSecond.toPrecision(3)} frames/s`;
  return `${(1 / framesPerSecond).toPrecision(3)} s a frame`;
}

const frames = (count: number): string => `${count} ${count === 1 ? 'frame' : 'frames'}`;

/** What a workflow has done, in the end: with the first of the frames that failed. */
export function predictionSummary({
  predicted,
  failures,
  firstFailures,
  out,
  ...all
}: FolderPredictionSummary): string {
  const skipped = all.frames - predicted - failures;
  const lines = firstFailures.map(({ id, reason }) => `  ${styled('yellow', '!')} ${frameName(id)}: ${reason}`);
  const more = failures > lines.length ? [`  … and ${failures - lines.length} more`] : [];
  const [predictedNow, counts] = [`${frames(predicted)} predicted`, countsOf(skipped, failures)];
  return [...lines, ...more, [predictedNow, ...counts, out].join('; ')].join('\n');
}

/** What was done, in the end. */
export function resultLine({ predicted, skipped, failures, seconds }: PredictionResult, where: string): string {
  return [`${frames(predicted)} predicted in ${duration(seconds)}`, ...countsOf(skipped, failures.length), where].join(
    '; ',
  );
}

function countsOf(skipped: number, failures: number): string[] {
  return [
    ...(skipped > 0 ? [`${skipped} there before`] : []),
    ...(failures > 0 ? [styled('red', `${failures} could not be predicted`)] : []),
  ];
}
