import { splitNames } from '../types.js';
import { frameName } from '../layout.js';
import type { Finding } from '../worlds/types.js';
import type { DatasetReport, FrameTrouble, InspectOptions } from './types.js';

/** Troubles that a reason why a data set is unusable names. */
const mostNamed = 3;

/** Why a data set cannot be trained on, and what to do; empty if it can. */
export function problemsOf(
  report: Pick<DatasetReport, 'sequences' | 'unusable' | 'read' | 'rigs' | 'shared' | 'worlds'>,
  { layout, unusableFrames: threshold }: Pick<InspectOptions['dataset'], 'layout' | 'unusableFrames'>,
): string[] {
  const { sequences, unusable, read, rigs, shared, worlds } = report;
  const problems: string[] = [];
  const named = (troubles: readonly FrameTrouble[]): string => {
    const some = troubles.slice(0, mostNamed).map(({ split, id, reason }) => `${split} ${frameName(id)}: ${reason}`);
    return `${some.join('; ')}${troubles.length > mostNamed ? '; …' : ''}`;
  };
  for (const split of splitNames) {
    // Without a test set nothing is evaluated, and all else goes on.
    if (layout[split] === null) continue;
    if (sequences.some((count) => count.split === split && count.frames > 0)) continue;
    problems.push(
      `No frame of the ${split} split can be used: correct its frames or its list (dataset.layout.${split}.list).`,
    );
  }
  const total = sequences.reduce((sum, { frames, unusable: bad }) => sum + frames + bad, 0);
  if (unusable.length > threshold * total) {
    problems.push(
      `${unusable.length} of ${total} frames are unusable; dataset.unusableFrames allows ` +
        `${Math.floor(threshold * total)} (${100 * threshold} %): ${named(unusable)}`,
    );
  }
  if (read.troubles.length > threshold * read.frames) {
    problems.push(
      `${read.troubles.length} of ${read.frames} frames that were read are damaged: ${named(read.troubles)}`,
    );
  }
  const wrong = rigs.filter(({ findings }) => findings.some(({ severity }) => severity === 'error'));
  if (wrong.length > 0) {
    const { subject, sequence } = wrong[0]!;
    const which =
      wrong.length === 1 ? `${subject}/${sequence}` : `${wrong.length} sequences (${subject}/${sequence} …)`;
    problems.push(`The calibrations of ${which} cannot be right: see what is said of the rig.`);
  }
  const isError = ({ severity }: Finding): boolean => severity === 'error';
  for (const part of new Set(shared.filter(isError).map((finding) => finding.part))) {
    problems.push(`The ${part} cannot be right: see what is said of it.`);
  }
  const bad = worlds.filter(({ findings }) => findings.some(isError));
  if (bad.length > threshold * read.frames) {
    const parts = [...new Set(bad.flatMap(({ findings }) => findings.filter(isError).map(({ part }) => part)))];
    problems.push(
      `In ${bad.length} of ${read.frames} frames that were read, ${parts.join(' and ')} cannot be right: see what is said of them.`,
    );
  }
  return problems;
}
