import type { RunDescription } from '../../../client/runs/describeRun.js';
import { columns } from '../../terminal/terminal.js';
import type { OutlookBasis } from './outlook.js';
import { currentStep, marked, progressLines } from './progressLines.js';
import { queueLines } from './queueLines.js';
import { troubles } from './troubles.js';

/** A run as `progressLines` has it; a series with a line a run: what it is at, what it came to, what it waits for. */
export function descriptionLines(description: RunDescription, now: number, basis: OutlookBasis | null): string[] {
  const { members, activities, status } = description;
  if (members === undefined) return progressLines(description, now, basis);
  if (members.length === 0) {
    return [
      status === 'RUNNING'
        ? '  waiting for a data worker to answer (tempeh-flow worker data)'
        : '  no run of it is known',
      ...queueLines(description),
    ];
  }
  const rows = members.map(({ run, label, state, note, description: member }) => {
    const isOn = state === 'running' && member !== null;
    const shown = isOn && member.progress?.paused === true ? 'paused' : state;
    return [`  ${marked(shown)}`, label, run, isOn ? currentStep(member, now) : (note ?? '')];
  });
  const ownTroubles = troubles({ ...description, activities }, now);
  return [...columns(rows).split('\n'), ...queueLines(description), ...ownTroubles];
}
