import type { TransferProgress } from '../../datasets/fetch/progress.js';
import type { ObtainPhase } from '../../datasets/obtain.js';
import { transferNote } from '../runs/watching/progressLines.js';
import { harmless } from '../terminal/harmless.js';
import { LiveDisplay } from '../terminal/liveDisplay.js';
import { bytes, styled } from '../terminal/terminal.js';
import { duration } from '../../text/duration.js';
import { TransferRate } from './transferRates.js';

/** What is done with a bundle; packing is of the data set as a whole. */
export type FetchPhase = ObtainPhase | 'pack';

const activityOf = { fetch: 'fetchBundle', extract: 'extractBundle', pack: 'packDataset' } as const;
const doneWords = { fetch: 'fetched', extract: 'extracted', pack: 'packed' } as const;

/** A line for each part that is under way, and one that stays for each that is done. None of its methods throws. */
export class FetchDisplay {
  private readonly live = new LiveDisplay();
  private readonly going = new Map<string, { line: string; rate: TransferRate; since: number }>();

  readonly show = harmless((phase: FetchPhase, bundle: string, progress: TransferProgress): void => {
    const key = `${phase} ${bundle}`;
    const { rate, since } = this.going.get(key) ?? { rate: new TransferRate(), since: Date.now() };
    const note = [transferNote(activityOf[phase], progress), rate.note(progress)].filter((part) => part !== '');
    this.going.set(key, { line: `  ${styled('cyan', '▸')} ${bundle}  ${note.join('  ')}`, rate, since });
    this.live.show(
      [...this.going.values()].map(({ line }) => line),
      (line) => line.split('  ').slice(1, 2).join() + (/waiting|fetching|extracting|packing/.exec(line)?.[0] ?? ''),
    );
  });

  /** @param count bytes of this time; 0 for what was done before. */
  readonly done = harmless((phase: FetchPhase, bundle: string, count: number): void => {
    const key = `${phase} ${bundle}`;
    const seconds = (Date.now() - (this.going.get(key)?.since ?? Date.now())) / 1000;
    this.going.delete(key);
    const what =
      count > 0 ? `${bytes(count)} ${doneWords[phase]} in ${duration(seconds)}` : `${doneWords[phase]} before`;
    this.live.print(`  ${styled('green', '✔')} ${bundle}: ${what}`);
  });

  readonly print = harmless((text: string): void => this.live.print(text));

  /** Something that the user should know of. */
  readonly warn = harmless((text: string): void => this.live.print(`  ${styled('yellow', '!')} ${text}`));

  readonly finish = harmless((): void => this.live.finish());
}
