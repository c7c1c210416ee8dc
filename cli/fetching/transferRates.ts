import type { TransferProgress } from '../../activities/types.js';
import { bytes, duration } from '../terminal/terminal.js';

/** Seconds that a rate is taken over. */
const window = 20;

/** How fast a transfer is, and how long it will take: from what it says of itself. */
export class TransferRate {
  private readonly samples: { at: number; done: number }[] = [];

  /** `45 MB/s, 12 min 03 s left`; empty until there is something to say. */
  note({ doneBytes, totalBytes }: TransferProgress, now = Date.now() / 1000): string {
    const last = this.samples.at(-1);
    // Begun anew: what was before says nothing.
    if (last !== undefined && doneBytes < last.done) this.samples.length = 0;
    if (last === undefined || now - last.at >= 0.5) this.samples.push({ at: now, done: doneBytes });
    while (this.samples.length > 2 && now - this.samples[0]!.at > window) this.samples.shift();
    const first = this.samples[0]!;
    const rate = (doneBytes - first.done) / (now - first.at);
    if (!Number.isFinite(rate) || rate <= 0) return '';
    const left = totalBytes === null ? '' : `, ${duration((totalBytes - doneBytes) / rate)} left`;
    return `${bytes(rate)}/s${left}`;
  }
}
