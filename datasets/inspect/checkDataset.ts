import { decodeFrame } from '../reader/decodeFrame.js';
import { FrameUnreadable } from '../reader/errors.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { frameName } from '../layout.js';
import { sampleFrames } from '../sampleFrames.js';
import type { Split } from '../types.js';
import { headFileLabel } from '../headFiles.js';
import { isChosen, type ViewChoice } from '../views.js';
import { frameFindings } from '../worlds/frameFindings.js';
import { templateFindings } from '../worlds/templateFindings.js';
import { problemsOf } from './problems.js';
import { RigChecks } from './rigChecks.js';
import type {
  DatasetReport,
  FrameTrouble,
  InspectedFrame,
  Inspection,
  InspectOptions,
  SequenceCount,
  WorldReport,
} from './types.js';

const framesAtOnce = 4;

/**
 * Checks a data set: what there is of it, by names and sizes; some or all of its frames whole; the rigs of these.
 *
 * @param sample how many frames are read whole, over all splits; null: all.
 */
export async function checkDataset(
  inspection: Inspection,
  sample: number | null,
  options: InspectOptions,
): Promise<DatasetReport> {
  const { source, frames, incomplete, calibrationBytes } = inspection;
  const { onProgress, signal } = options;
  const unusable = [...inspection.unusable, ...frames.flatMap((frame) => viewTrouble(frame, options))];
  const bad = new Set(unusable.map(nameOf));
  const usable = frames.filter((frame) => !bad.has(nameOf(frame)));
  const chosen = sampleFrames(usable, sample);
  const rigs = new RigChecks(options, inspection.storedResizeFactor);
  const worlds: WorldReport[] = [];
  let done = 0;
  const troubles = await mapLimited(chosen, framesAtOnce, async ({ split, id }): Promise<FrameTrouble | null> => {
    signal?.throwIfAborted();
    try {
      const encoded = await source.load(split, id);
      await rigs.add(id, encoded);
      await decodeFrame(id, encoded, null, inspection.storedResizeFactor, source.template.vertices.length / 3);
      const used = { ...encoded, views: encoded.views.filter(({ name }) => isChosen(name, options)) };
      const findings = await frameFindings(used, { template: source.template, volume: options.volume });
      if (findings.length > 0) worlds.push({ split, id, findings });
      return null;
    } catch (cause) {
      if (!(cause instanceof FrameUnreadable)) throw cause;
      return { split, id, reason: cause.reason };
    } finally {
      onProgress?.({ what: 'reading frames', done: ++done, total: chosen.length });
    }
  });
  const sum = (part: keyof InspectedFrame['bytes']): number =>
    usable.reduce((total, { bytes }) => total + bytes[part], 0);
  const report = {
    description: source.description,
    vertexCount: source.template.vertices.length / 3,
    sequences: countSequences(usable, unusable),
    bytes: {
      images: sum('images'),
      calibrations: calibrationBytes,
      scans: sum('scans'),
      registrations: sum('registrations'),
    },
    unusable,
    incomplete,
    read: { frames: chosen.length, of: usable.length, troubles: troubles.filter((trouble) => trouble !== null) },
    rigs: rigs.reports,
    shared: templateFindings(source.template, headFileLabel(options.dataset.layout.template)),
    worlds: inOrder(worlds, chosen),
    familiar: familiarSubjects(usable),
  };
  const problems = problemsOf(report, options.dataset);
  return { ...report, usable: problems.length === 0, problems: [...problems, ...inspection.layoutHints] };
}

/** What training would say only after hours. */
function viewTrouble({ split, id, views }: InspectedFrame, choice: ViewChoice): FrameTrouble[] {
  const { viewKind: kind, cameras } = choice;
  const count = views.filter((view) => isChosen(view, choice)).length;
  if (count >= 2) return [];
  const has = views.length === 0 ? 'none at all' : views.slice(0, 6).join(', ');
  const reason =
    `it has ${count} ${cameras ? `of the views ${cameras.join(', ')}` : `${kind === 'all' ? '' : `${kind} `}views`}, two are needed (it has ${has}): ` +
    'stereo views are called …_A or …_B, colour views …_C; viewKind chooses (stereo, colour, all)';
  return [{ split, id, reason }];
}

/** Frames are read side by side, and come as they come. */
function inOrder(worlds: readonly WorldReport[], frames: readonly InspectedFrame[]): WorldReport[] {
  const places = new Map(frames.map((frame, i) => [nameOf(frame), i]));
  return [...worlds].sort((a, b) => places.get(nameOf(a))! - places.get(nameOf(b))!);
}

function countSequences(frames: readonly InspectedFrame[], unusable: readonly FrameTrouble[]): SequenceCount[] {
  type Count = { -readonly [Key in keyof SequenceCount]: SequenceCount[Key] };
  const counts = new Map<string, Count>();
  const of = ({ split, id }: Pick<InspectedFrame, 'split' | 'id'>): Count => {
    const key = `${split} ${id.subject}/${id.sequence}`;
    const { subject, sequence } = id;
    let count = counts.get(key);
    if (!count)
      counts.set(key, (count = { split, subject, sequence, frames: 0, unusable: 0, views: [0, 0], bytes: 0 }));
    return count;
  };
  for (const frame of frames) {
    const count = of(frame);
    const [fewest, most] = count.frames === 0 ? [Infinity, 0] : count.views;
    count.views = [Math.min(fewest, frame.views.length), Math.max(most, frame.views.length)];
    count.frames++;
    count.bytes += frame.bytes.images + frame.bytes.scans + frame.bytes.registrations;
  }
  for (const trouble of unusable) of(trouble).unusable++;
  return [...counts.values()];
}

function familiarSubjects(frames: readonly InspectedFrame[]): DatasetReport['familiar'] {
  const subjectsOf = (split: Split): Set<string> =>
    new Set(frames.filter((frame) => frame.split === split).map(({ id }) => id.subject));
  const trained = subjectsOf('train');
  return (['validation', 'test'] as const)
    .map((split) => ({ split, subjects: [...subjectsOf(split)].filter((subject) => trained.has(subject)).sort() }))
    .filter(({ subjects }) => subjects.length > 0);
}

function nameOf({ split, id }: Pick<FrameTrouble, 'split' | 'id'>): string {
  return `${split} ${frameName(id)}`;
}
