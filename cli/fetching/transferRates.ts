import type { TransferProgress } from '../../datasets/fetch/progress.js';
import { bytes } from '../terminal/terminal.js';
import { duration } from '../../text/duration.js';

/** Seconds that a rate is taken over. */
const window = 20;

/** How fast a transfer is, and how long it will take: from what it says of itself. */
export class TransferRate {
  private readonly samples: { at: number; done: number }[] = [];

  /** `45 MB/s, 12 min 03 s left`; empty until there is something to say. */
  note({ doneBytes, totalBytes }: TransferProgress, now = performance.now() / 1000): string {
    // Begun anew (a piece that is repaired, a file that is fetched again): what was before says nothing.
    if (doneBytes < (this.samples.at(-1)?.done ?? 0)) this.samples.length = 0;
    const last = this.samples.at(-1);
    if (last === undefined || now - last.at >= 0.5) this.samples.push({ at: now, done: doneBytes });
    while (this.samples.length > 2 && now - (this.samples[0]?.at ?? now) > window) this.samples.shift();
    const [first] = this.samples;
    if (first === undefined) return '';
    const rate = (doneBytes - first.done) / (now - first.at);
    if (!Number.isFinite(rate) || rate <= 0) return '';
    const left = totalBytes === null ? '' : `, ${duration((totalBytes - doneBytes) / rate)} left`;
    return `${bytes(Math.round(rate))}/s${left}`;
  }
}
