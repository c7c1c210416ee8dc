import { decodeFrame } from '../reader/decodeFrame.js';
import { FrameUnreadable } from '../reader/errors.js';
import type { EncodedFrame } from '../reader/frameSource.js';
import { mapLimited } from '../../storage/mapLimited.js';
import { cameraFromTka, formatTka } from '../formats/tka.js';
import { frameName, isViewOfKind } from '../layout.js';
import type { Split } from '../types.js';
import { imageFindings } from './imageFindings.js';
import { rigFindings } from './rigFindings.js';
import { sampleFrames } from './sampleFrames.js';
import type {
  DatasetReport,
  FrameTrouble,
  InspectedFrame,
  Inspection,
  InspectOptions,
  RigReport,
  SequenceCount,
  RigFinding,
} from './types.js';

const framesAtOnce = 4;
/** Of troubles, in the reasons why a data set is unusable. */
const mostNamed = 3;

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
  const { viewKind, onProgress, signal } = options;
  const unusable = [...inspection.unusable, ...frames.flatMap((frame) => viewTrouble(frame, viewKind))];
  const bad = new Set(unusable.map(nameOf));
  const usable = frames.filter((frame) => !bad.has(nameOf(frame)));
  const chosen = sampleFrames(usable, sample);
  const rigs = new RigChecks(options, inspection.storedResizeFactor);
  let done = 0;
  const troubles = await mapLimited(chosen, framesAtOnce, async ({ split, id }): Promise<FrameTrouble | null> => {
    signal?.throwIfAborted();
    try {
      const encoded = await source.load(split, id);
      await rigs.add(id, encoded);
      await decodeFrame(id, encoded, null, inspection.storedResizeFactor, source.template.vertices.length / 3);
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
    familiar: familiarSubjects(usable),
  };
  const problems = problemsOf(report, options.dataset.unusableFrames);
  return { ...report, usable: problems.length === 0, problems };
}

/** What training would say only after hours. */
function viewTrouble({ split, id, views }: InspectedFrame, kind: InspectOptions['viewKind']): FrameTrouble[] {
  const count = views.filter((view) => isViewOfKind(view, kind)).length;
  if (count >= 2) return [];
  const has = views.length === 0 ? 'none at all' : views.slice(0, 6).join(', ');
  const reason =
    `it has ${count} ${kind === 'all' ? '' : `${kind} `}views, two are needed (it has ${has}): ` +
    'stereo views are called …_A or …_B, colour views …_C; viewKind chooses (stereo, colour, all)';
  return [{ split, id, reason }];
}

/** The rigs of the frames that are read: one a sequence. */
class RigChecks {
  private readonly known = new Map<string, RigReport & { findings: RigFinding[] }>();
  private readonly byCalibrations = new Map<string, readonly RigFinding[]>();

  constructor(
    private readonly options: InspectOptions,
    private readonly storedResizeFactor: number,
  ) {}

  /** In the order of their names: frames are read side by side, and come as they come. */
  get reports(): readonly RigReport[] {
    return [...this.known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, report]) => report);
  }

  async add({ subject, sequence }: { subject: string; sequence: string }, { views }: EncodedFrame): Promise<void> {
    const { viewKind, volume } = this.options;
    const used = views.filter(({ name }) => isViewOfKind(name, viewKind));
    const key = `${subject}/${sequence}`;
    let report = this.known.get(key);
    if (!report) {
      // Most rigs stand still over many sequences.
      const content = JSON.stringify(used.map(({ name, calibration }) => [name, formatTka(calibration, 'exact')]));
      let findings = this.byCalibrations.get(content);
      if (!findings) {
        const cameras = used.map(({ name, calibration }) => cameraFromTka(calibration, 1, name));
        this.byCalibrations.set(content, (findings = rigFindings(cameras, volume)));
      }
      report = { subject, sequence, cameras: used.length, findings: [...findings] };
      this.known.set(key, report);
    }
    for (const finding of await imageFindings(used, this.storedResizeFactor)) {
      const isKnown = report.findings.some(({ camera, found }) => camera === finding.camera && found === finding.found);
      if (!isKnown) report.findings.push(finding);
    }
  }
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

function problemsOf(
  { sequences, unusable, read, rigs }: Pick<DatasetReport, 'sequences' | 'unusable' | 'read' | 'rigs'>,
  threshold: number,
): string[] {
  const problems: string[] = [];
  const named = (troubles: readonly FrameTrouble[]): string => {
    const some = troubles.slice(0, mostNamed).map(({ split, id, reason }) => `${split} ${frameName(id)}: ${reason}`);
    return `${some.join('; ')}${troubles.length > mostNamed ? '; …' : ''}`;
  };
  for (const split of ['train', 'validation', 'test'] as const) {
    if (sequences.some((count) => count.split === split && count.frames > 0)) continue;
    problems.push(
      `No frame of the ${split} split can be used: mend its frames or its list (dataset.layout.${split}.list).`,
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
  return problems;
}

function nameOf({ split, id }: Pick<FrameTrouble, 'split' | 'id'>): string {
  return `${split} ${frameName(id)}`;
}
