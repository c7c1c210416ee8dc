import { EventLog } from '../../checkpoints/events/eventLog.js';
import { emptyManifest, formatManifest } from '../../checkpoints/manifest/manifest.js';
import type { EventSegment } from '../../checkpoints/manifest/manifestSchema.js';
import type { Evaluation } from '../../evaluation/types.js';
import { encodePng } from '../../datasets/formats/images/image.js';
import { chooseFrames } from '../../report/frames/chooseFrames.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import type { ShownFrame } from '../../report/shownFrame.js';
import { bumpyMesh } from '../geometry/meshes.js';

const hour = 3600;
/** Seconds since 1970 of the first attempt's first step. */
export const begun = 1_800_000_000;

/**
 * A stage that three attempts trained to step 600: "one" to 200, "two" from there to 400 after two hours' wait, "three"
 * since then, which trains still. What "one" left after step 200 was given up.
 */
export async function trainedBy(store: ObjectStore, run: string): Promise<void> {
  const sealed: EventSegment[] = [];
  const train = async (attempt: string, from: number, to: number, at: number, seals: boolean): Promise<void> => {
    let step = from;
    const seconds = (): number => at + ((step - from) / 200) * hour;
    const log = new EventLog({ store, run, stage: 'coarse', attempt }, from, seconds);
    for (step = from; step < to; step++) {
      log.scalar(step, 'Total loss/train', 100 / (1 + step));
      log.scalar(step, 'Learning rate/train', 1e-3);
      if (step % 50 === 0) log.scalar(step, 'Total loss/validation', 120 / (1 + step));
    }
    if (!seals) return log.uploadOpen();
    const segment = log.seal(to)!;
    await segment.upload();
    sealed.push({ key: segment.key, from: segment.from, to: segment.to });
  };
  await train('one', 0, 200, begun, true);
  await train('one', 200, 260, begun + hour, false);
  await train('two', 200, 300, begun + 3 * hour, true);
  await train('two', 300, 400, begun + 3.5 * hour, true);
  await train('three', 400, 600, begun + 6 * hour, false);
  const manifest = {
    ...emptyManifest(run, 'coarse'),
    lease: { attempt: 'three', claimedAt: new Date(1000 * (begun + 6 * hour)).toISOString() },
    events: sealed,
  };
  await store.put(keys.manifest(run, 'coarse'), formatManifest(manifest));
}

const summary = (median: number) => ({
  count: 1000,
  median,
  mean: 1.2 * median,
  standardDeviation: median / 2,
  percentile90: 2 * median,
});

/** Errors of two models over four frames. */
export function someEvaluation(run: string): Evaluation {
  const method = (name: string, median: number) => ({
    method: name,
    pointToSurface: summary(median),
    pointToSurfaceQuantiles: Array.from({ length: 20 }, (_, i) => (median * (i + 1)) / 8),
    vertices: summary(2 * median),
    parts: { pose: median, identity: median / 2, expression: median / 3, expressionExplained: 0.7 },
  });
  const ids = [1, 2, 3, 4].map((number) => ({
    subject: number < 3 ? 'A' : 'B',
    sequence: 'talk',
    frame: `000${number}`,
  }));
  return {
    version: 1,
    run,
    frames: 4,
    subjects: ['A', 'B'],
    methods: [method('coarse', 2), method('refinement', 1)],
    perFrame: ids.map((id, i) => ({ ...id, pointToSurface: { coarse: 2 + i, refinement: 1 + i } })),
    perSequence: [
      { subject: 'A', sequence: 'talk', frames: 2, pointToSurface: { coarse: 2.5, refinement: 1.5 } },
      { subject: 'B', sequence: 'talk', frames: 2, pointToSurface: { coarse: 4.5, refinement: 3.5 } },
    ],
    leftOut: [{ subject: 'B', sequence: 'talk', frame: '<0005>', reason: 'its scan & images are missing' }],
  };
}

/** Heads of the frames that a report of `someEvaluation` shows: red where they are 5 mm off. */
export async function someFrames(run: string): Promise<{ frames: ShownFrame[]; faces: Uint32Array }> {
  const { vertices, faces } = bumpyMesh(24);
  const moved = (by: number) => vertices.map((value, i) => value + (i % 3 === 0 ? by : 0));
  const errors = (by: number) => new Float32Array(vertices.length / 3).fill(by);
  const png = await encodePng({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 3).fill(90) });
  const frames = chooseFrames(someEvaluation(run).perFrame, 'refinement').map(({ id, title }): ShownFrame => ({
    ...id,
    title,
    pictures: [{ caption: 'view 01_C', png }],
    heads: [
      { name: 'coarse', vertices: moved(30), errors: errors(5) },
      { name: 'refinement', vertices: moved(10), errors: errors(1) },
      { name: 'registration', vertices, errors: null },
    ],
    front: [0, 0, 0, 1],
  }));
  return { frames, faces };
}
