import { splitNames, type FrameId, type Split } from '../datasets/types.js';
import { sequenceKinds } from './scene/motion.js';
import type { MiniatureSettings } from './settings.js';

/** A subject with what it does: one unit of the generator's work. */
export interface PlannedSubject {
  readonly split: Split;
  readonly subject: string;
  /** Its number in the whole data set, which its random numbers hang on. */
  readonly index: number;
  readonly sequences: readonly PlannedSequence[];
}

export interface PlannedSequence {
  readonly sequence: string;
  readonly index: number;
  readonly kind: string;
  readonly frames: readonly { readonly frame: string; readonly time: number }[];
}

/** Frames are taken from a sequence recorded at 60 a second, this many apart. */
const frameStep = 12;

/** All subjects, split by subject. */
export function planMiniature(settings: MiniatureSettings): PlannedSubject[] {
  const subjects: PlannedSubject[] = [];
  for (const split of splitNames) {
    for (let i = 0; i < settings.subjects[split]; i++) {
      const index = subjects.length;
      const subject = `miniature_${String(index + 1).padStart(3, '0')}`;
      subjects.push({ split, subject, index, sequences: planSequences(settings, split, index) });
    }
  }
  return subjects;
}

function planSequences(settings: MiniatureSettings, split: Split, subject: number): PlannedSequence[] {
  const kinds = Object.keys(sequenceKinds);
  const count = settings.framesPerSequence[split];
  return Array.from({ length: settings.sequencesPerSubject }, (_, index) => {
    const kind = kinds[(subject + index) % kinds.length]!;
    const repeat = Math.floor(index / kinds.length);
    const frames = Array.from({ length: count }, (_unused, k) => ({
      frame: String(1 + frameStep * k).padStart(6, '0'),
      time: (k + 0.5) / count,
    }));
    return { sequence: repeat ? `${kind}_${repeat + 1}` : kind, index, kind, frames };
  });
}

/** The entries of a split's data list. */
export function plannedFrames(plan: readonly PlannedSubject[], split: Split): FrameId[] {
  return plan
    .filter((subject) => subject.split === split)
    .flatMap(({ subject, sequences }) =>
      sequences.flatMap(({ sequence, frames }) => frames.map(({ frame }) => ({ subject, sequence, frame }))),
    );
}
