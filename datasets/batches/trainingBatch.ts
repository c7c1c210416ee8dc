import { counterRandom, type CounterRandom } from '../../geometry/random.js';
import { augmentedCamera, drawAugmentation, writeAugmented } from '../images/augment.js';
import { FrameUnreadable } from '../reader/errors.js';
import type { Batch, Sample, SampleView } from '../types.js';
import type { ViewChoice } from '../views.js';
import { assembleBatch, plainView, type BatchView } from './assemble.js';
import type { TrainingBatchSettings } from './settings.js';

/**
 * A training batch out of whole samples (method 1): a random subset of the views, one draw of their number a batch;
 * augmentation a view; a random subset of the scan points. All of it depends on (seed, step) and the sample's place.
 *
 * @param memory see `assembleBatch`.
 */
export function trainingBatch(
  step: number,
  samples: readonly Sample[],
  settings: TrainingBatchSettings,
  { viewsAtMost = Infinity }: Pick<ViewChoice, 'viewsAtMost'> = {},
  memory?: ArrayBuffer,
): Batch {
  const { seed, stage } = settings;
  const available = Math.min(viewsAtMost, ...samples.map(({ views }) => views.length));
  const count = viewCount(available, stage.views, counterRandom(seed, 'view count', step));
  const chosen = samples.map((sample, b) => {
    if (!sample.vertices) throw new FrameUnreadable(sample.id, 'it has no registration, and training needs one');
    if (sample.scanPoints.length === 0) throw new FrameUnreadable(sample.id, 'it has no scan, and training needs one');
    const views = chooseViews(sample.views, count, counterRandom(seed, 'views', step, b));
    return { ...sample, views: views.map((view) => augmented(view, settings, step, b)) };
  });
  const scanPoints = samples.map((sample, b) =>
    choosePoints(sample.scanPoints, stage.scanPoints, counterRandom(seed, 'scan points', step, b)),
  );
  return assembleBatch(step, chosen, scanPoints, memory);
}

/** round(m + (V − m) · U), or all if there are no more than m. */
function viewCount(available: number, views: { minimum: number; random: boolean }, random: CounterRandom): number {
  if (!views.random || available <= views.minimum) return available;
  return Math.round(views.minimum + (available - views.minimum) * random.uniform());
}

function chooseViews(views: readonly SampleView[], count: number, random: CounterRandom): SampleView[] {
  if (views.length === count) return [...views];
  const order = random.shuffle(Uint32Array.from(views, (_, i) => i)).subarray(0, count);
  return [...order.sort()].map((i) => views[i]!);
}

function augmented(view: SampleView, { seed, stage }: TrainingBatchSettings, step: number, sample: number): BatchView {
  if (!stage.augmentation.enabled) return plainView(view);
  const random = counterRandom(seed, 'augmentation', step, sample, view.camera.name);
  const { width, height } = view.camera;
  const drawn = drawAugmentation(stage.augmentation, random);
  return {
    camera: augmentedCamera(view.camera, drawn),
    write: (target) => writeAugmented({ width, height, data: view.image }, drawn, target),
  };
}

/** `count` different points, or all if there are no more. */
function choosePoints(points: Float32Array, count: number, random: CounterRandom): Float32Array {
  const available = points.length / 3;
  if (available <= count) return points;
  const indices = Uint32Array.from({ length: available }, (_, i) => i);
  const chosen = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    // The first `count` draws of a Fisher–Yates shuffle.
    const j = i + random.integer(available - i);
    const from = 3 * indices[j]!;
    indices[j] = indices[i]!;
    chosen.set(points.subarray(from, from + 3), 3 * i);
  }
  return chosen;
}
