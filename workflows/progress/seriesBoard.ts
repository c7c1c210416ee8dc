import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { RunStep } from '../../configs/temporal.js';
import type { MemberState, SeriesInput, SeriesProgress } from '../types.js';

/** Where the runs of a series are: what its query answers, and what the Temporal UI shows on its page. */
export class SeriesBoard {
  readonly #members: Map<string, MemberState>;
  readonly #done = new Set<string>();

  constructor(private readonly series: Pick<SeriesInput, 'run' | 'kind' | 'members'>) {
    this.#members = new Map(
      series.members.map(({ run, label, after }) => {
        const note = after === undefined ? null : `waits for ${after.run} to be through ${after.step}`;
        return [run, { run, label, state: 'waiting', note }];
      }),
    );
    this.show();
  }

  progress(): SeriesProgress {
    const { run, kind } = this.series;
    return { run, kind, members: [...this.#members.values()] };
  }

  change(run: string, state: MemberState['state'], note: string | null = null): void {
    const before = this.#members.get(run);
    if (before === undefined) return;
    this.#members.set(run, { ...before, state, note });
    this.show();
  }

  stepDone(run: string, step: RunStep): void {
    this.#done.add(`${run}/${step}`);
  }

  /** A run that is done has done all its steps, whatever it was heard to say. */
  hasDone(run: string, step: RunStep): boolean {
    return this.#done.has(`${run}/${step}`) || this.#members.get(run)?.state === 'done';
  }

  /** Nothing more is to be expected of it. */
  hasEnded(run: string): boolean {
    const state = this.#members.get(run)?.state;
    return state !== 'waiting' && state !== 'running';
  }

  private show(): void {
    const { namespace } = workflowInfo();
    const rows = [...this.#members.values()].map(({ run, label, state, note }) => {
      const page = `[${run}](/namespaces/${namespace}/workflows/${encodeURIComponent(run)})`;
      return `| ${label} | ${page} | ${state} | ${(note ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')} |`;
    });
    setCurrentDetails(`| | run | state | |\n| --- | --- | --- | --- |\n${rows.join('\n')}`);
  }
}
