import { frameName } from '../../datasets/layout.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { IndexedFrame } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { frameMeshPath, keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { translated } from '../heads/rigidAlignment.js';
import type { TestSet } from '../testSet.js';
import { componentCounts, TrainingHeads } from '../heads/trainingHeads.js';
import { componentsName, methodNames } from '../types.js';
import type { MeasuredSet } from './types.js';

/** Training registrations that baselines are made of, at most: evenly spread over the list. */
const headsForBaselines = 500;
const readAtOnce = 8;

/** A run's predictions of its test set, beside baselines that know the training heads and no picture. */
export interface RunToMeasure {
  readonly store: ObjectStore;
  readonly run: string;
  readonly testSet: TestSet;
  /** The middle of the coarse model's volume, mm. */
  readonly volumeCentre: readonly [number, number, number];
  readonly signal?: AbortSignal;
}

/**
 * Baselines stand in the mean orientation of the training heads where they do not know the true pose: nothing trains the
 * rotation of the localiser's grid to be the head's.
 *
 * @throws Error where the run has no predictions of its test set.
 */
export async function openRun({ store, run, testSet, volumeCentre, signal }: RunToMeasure): Promise<MeasuredSet> {
  const predicted = await testSet.predicted();
  if (!predicted.has('coarse')) {
    throw new Error(
      `There is no prediction at ${keys.testPredictions(run, 'coarse')} in ${store.description}: predict the test set first (tempeh-flow start evaluation --run ${run} does both).`,
    );
  }
  const training = new TrainingHeads(await trainingHeads(testSet, signal));
  const { index } = testSet;
  const listed = await index.range('test', 0, index.counts.test);
  const frames = new Map(listed.map((frame): [string, IndexedFrame] => [frameName(frame.id), frame]));
  const { faces } = testSet.template;
  const components = componentCounts.filter((count) => count <= training.componentCount);
  return {
    description: run,
    methods: [...predicted.keys()],
    baselines: new Set([
      methodNames.meanHeadPosed,
      methodNames.meanHeadLocalised,
      methodNames.meanHeadCentred,
      methodNames.registration,
      ...components.map(componentsName),
    ]),
    frames: [...frames.values()].map(({ id }) => id),
    regions: testSet.regions,
    async load(id) {
      const frame = frames.get(frameName(id));
      const missing = [...predicted].find(([, paths]) => !paths.has(frameMeshPath(id)))?.[0];
      if (frame === undefined || missing !== undefined) {
        throw new FrameUnreadable(id, `its ${missing ?? ''} prediction is missing`);
      }
      try {
        const [scanPoints, registration, localised] = await Promise.all([
          testSet.scanPoints(frame),
          testSet.registration(frame),
          testSet.localisedCentre(id),
        ]);
        if (scanPoints === null) throw new FrameUnreadable(id, 'it has no scan');
        const heads = new Map<string, Mesh>();
        const put = (method: string, vertices: Float32Array) => heads.set(method, { vertices, faces });
        for (const stage of predicted.keys()) put(methodNames[stage], await testSet.prediction(stage, id));
        if (registration !== null) {
          put(methodNames.meanHeadPosed, training.meanAt(registration));
          for (const count of components) put(componentsName(count), training.fitted(registration, count));
        }
        if (localised !== null) put(methodNames.meanHeadLocalised, translated(training.mean, localised));
        put(methodNames.meanHeadCentred, translated(training.mean, volumeCentre));
        if (registration !== null) put(methodNames.registration, registration);
        return { id, heads, scanPoints, registration };
      } catch (cause) {
        if (!(cause instanceof FormatError || cause instanceof ObjectNotFound)) throw cause;
        throw new FrameUnreadable(id, cause.message, { cause });
      }
    },
  };
}

async function trainingHeads(testSet: TestSet, signal: AbortSignal | undefined): Promise<Float32Array[]> {
  const chosen = await testSet.index.registered('train', headsForBaselines);
  const heads: Float32Array[] = [];
  for (let from = 0; from < chosen.length; from += readAtOnce) {
    signal?.throwIfAborted();
    const read = await Promise.all(chosen.slice(from, from + readAtOnce).map((frame) => testSet.registration(frame)));
    heads.push(...read.filter((head) => head !== null));
  }
  return heads;
}
