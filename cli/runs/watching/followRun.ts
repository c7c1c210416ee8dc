import { setTimeout as sleep } from 'node:timers/promises';
import { describeRun, type RunDescription } from '../../../client/runs/describeRun.js';
import type { Ask } from '../../connection.js';
import { harmless } from '../../terminal/harmless.js';
import { LiveDisplay } from '../../terminal/liveDisplay.js';
import { LossCurve } from './lossCurve.js';
import { outlookBasis, type OutlookBasis } from './outlook.js';
import { descriptionLines } from './seriesLines.js';

export interface FollowOptions {
  readonly ask: Ask;
  readonly run: string;
  /** Ends the watching at once, also where Temporal does not answer; the run goes on. */
  readonly signal: AbortSignal;
  readonly display?: LiveDisplay;
  /** Called with every look. */
  readonly onDescription?: (description: RunDescription) => void;
}

/** Workers that have just been started answer after some seconds, ms. */
const patience = 15_000;

/**
 * Shows a run's progress until it ends.
 *
 * @returns its last description; of a run that goes on when the signal came. null where none had come by then.
 */
export async function followRun({
  ask,
  run,
  signal,
  display,
  onDescription,
}: FollowOptions): Promise<RunDescription | null> {
  const live = display ?? new LiveDisplay();
  const curve = new LossCurve();
  const show = harmless((description: RunDescription) => {
    curve.see(description);
    // Elsewhere each line has its loss, and is kept.
    const isOn = process.stdout.isTTY && description.status === 'RUNNING' && description.progress?.paused === false;
    live.show([...descriptionLines(description, Date.now(), basis), ...(isOn ? curve.lines() : [])], lineSubject);
  });
  let last: RunDescription | null = null;
  let basis: OutlookBasis | null = null;
  let isAsked = false;
  const startedAt = Date.now();
  for (;;) {
    const description = await ask((client) => describeRun(client, run), signal);
    if (description === null) {
      live.finish();
      return last;
    }
    // A worker that is just restarting must not make the lines vanish.
    const shown: RunDescription =
      description.progress === null && last !== null
        ? { ...description, progress: last.progress, ...membersOf(description, last) }
        : description;
    last = shown;
    if (signal.aborted && shown.status === 'RUNNING') {
      live.finish();
      return shown;
    }
    if (
      shown.progress !== null ||
      (shown.members?.length ?? 0) > 0 ||
      shown.status !== 'RUNNING' ||
      Date.now() - startedAt > patience
    ) {
      show(shown);
    }
    if (!isAsked && shown.progress?.training) {
      isAsked = true;
      basis = await ask((client) => outlookBasis(client, run), signal);
    }
    onDescription?.(shown);
    if (shown.status !== 'RUNNING') {
      live.finish();
      return shown;
    }
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

/** Those of the look before where no worker says which there are. */
function membersOf({ members }: RunDescription, last: RunDescription): Pick<RunDescription, 'members'> {
  if (members === undefined || members.length > 0 || last.members === undefined) return {};
  return { members: last.members };
}

/** What a line is about, so that it is printed again when that changes: mark and step, and the kind of work. */
function lineSubject(line: string): string {
  const [mark, step] = line.trim().split(/\s+/);
  const work = /fetching|extracting|packing|measuring|step \d|frames/.exec(line)?.[0] ?? '';
  return `${mark} ${step} ${work.replace(/\d/, '')}`;
}
