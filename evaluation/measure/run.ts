import { basename, dirname } from 'node:path';
import { frameName } from '../../datasets/layout.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { FrameId } from '../../datasets/types.js';
import type { IndexedFrame } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { frameMeshPath, keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { translated } from '../heads/rigidAlignment.js';
import type { TestSet } from '../testSet.js';
import { ListedVersions } from '../../datasets/cache/listedVersions.js';
import { framesBefore, reach } from './measure.js';
import { componentCounts, TrainingHeads } from '../heads/trainingHeads.js';
import { componentsName, methodNames } from '../types.js';
import type { MeasuredFrame, MeasuredSet } from './types.js';

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
  /** What is known of the training heads, where it is known already. */
  readonly heads?: TrainingHeads;
  readonly signal?: AbortSignal;
}

/** A run's test set, whole or in shards. */
export interface MeasuredRun {
  /** Frames of all shards. */
  readonly frames: number;
  /** What baselines are made of: the same for all shards. */
  readonly heads: TrainingHeads;
  /** Frames by their places where sequences follow each other, `to` excluded. */
  part(from: number, to: number): Promise<MeasuredSet>;
}

/**
 * Baselines stand in the mean orientation of the training heads where they do not know the true pose: nothing trains the
 * rotation of the localiser's grid to be the head's.
 *
 * @throws Error where the run has no predictions of its test set.
 */
export async function openRun(options: RunToMeasure): Promise<MeasuredRun> {
  const { store, run, testSet, volumeCentre, signal } = options;
  const stages = await testSet.predictedStages();
  if (!stages.includes('coarse')) {
    throw new Error(
      `There is no prediction at ${keys.testPredictions(run, 'coarse')} in ${store.description}: predict the test set first (tempeh-flow start evaluation --run ${run} does both).`,
    );
  }
  const training = options.heads ?? new TrainingHeads(await trainingHeads(testSet, signal));
  const { index } = testSet;
  const { faces } = testSet.template;
  const components = componentCounts.filter((count) => count <= training.componentCount);
  const part = async (from: number, to: number): Promise<MeasuredSet> => {
    const begin = Math.max(0, from - reach);
    const listed = await index.bySequence('test', begin, to);
    const ids = listed.map(({ id }) => id);
    const frames = new Map(listed.map((frame): [string, IndexedFrame] => [frameName(frame.id), frame]));
    const own = ids.slice(from - begin);
    return { ...common, frames: own, before: framesBefore(ids.slice(0, from - begin), own[0]), load: loaderOf(frames) };
  };
  const common = {
    description: run,
    methods: [...stages],
    baselines: new Set([
      methodNames.meanHeadPosed,
      methodNames.meanHeadLocalised,
      methodNames.meanHeadCentred,
      methodNames.registration,
      ...components.map(componentsName),
    ]),
    regions: testSet.regions,
    reference: (subject: string) => referenceOf(testSet, subject),
  };
  const predicted = stages.map((stage) => ({
    stage,
    listed: new ListedVersions(store, keys.testPredictions(run, stage)),
  }));
  const loaderOf = (frames: ReadonlyMap<string, IndexedFrame>) => {
    return async (id: FrameId): Promise<MeasuredFrame> => {
      const frame = frames.get(frameName(id));
      const path = frameMeshPath(id);
      const there = await Promise.all(predicted.map(({ listed }) => listed.etagOf(dirname(path), basename(path))));
      const missing = predicted.find((_, at) => there[at] === null)?.stage;
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
        if (scanPoints.length === 0) throw new FrameUnreadable(id, 'its scan has no points');
        const heads = new Map<string, Mesh>();
        const put = (method: string, vertices: Float32Array) => heads.set(method, { vertices, faces });
        for (const stage of stages) put(methodNames[stage], await testSet.prediction(stage, id));
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
    };
  };
  return { frames: index.counts.test, heads: training, part };
}

/** The first registration of a subject that can be read, in the order of its sequences. */
async function referenceOf(testSet: TestSet, subject: string): Promise<Float32Array | null> {
  const { index } = testSet;
  let from = 0;
  for (const sequence of index.sequences('test')) {
    const to = from + sequence.frames;
    if (sequence.subject === subject) {
      for (const frame of await index.bySequence('test', from, to)) {
        if (frame.registration === null) continue;
        try {
          return await testSet.registration(frame);
        } catch (cause) {
          if (!(cause instanceof FormatError || cause instanceof ObjectNotFound)) throw cause;
        }
      }
    }
    from = to;
  }
  return null;
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
