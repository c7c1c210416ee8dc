import { frameName } from '../../datasets/layout.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { IndexedFrame } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { meshPath, TestSet } from '../testSet.js';
import type { MeasuredSet } from './types.js';

/**
 * The predictions that a run has of its test set. @throws DatasetMissing, and Error where it has none
 */
export async function openRun(store: ObjectStore, run: string, dataset: string): Promise<MeasuredSet> {
  const testSet = await TestSet.open(store, run, dataset);
  const predicted = await testSet.predicted();
  if (predicted.size === 0) {
    const todo = `predict it first (tempeh-flow start evaluation --run ${run})`;
    throw new Error(`Run ${run} has no predictions of its test set in ${store.description}: ${todo}.`);
  }
  const frames = new Map(
    testSet.index.splits.test.map((frame): [string, IndexedFrame] => [frameName(frame.id), frame]),
  );
  const { faces } = testSet.template;
  return {
    description: run,
    methods: [...predicted.keys()],
    frames: [...frames.values()].map(({ id }) => id),
    regions: testSet.regions,
    async load(id) {
      const frame = frames.get(frameName(id));
      const missing = [...predicted].find(([, paths]) => !paths.has(meshPath(id)))?.[0];
      if (frame === undefined || missing !== undefined) {
        throw new FrameUnreadable(id, `its ${missing ?? ''} prediction is missing`);
      }
      try {
        const heads = new Map<string, Mesh>();
        for (const stage of predicted.keys())
          heads.set(stage, { vertices: await testSet.prediction(stage, id), faces });
        const [scanPoints, registration] = await Promise.all([testSet.scanPoints(frame), testSet.registration(frame)]);
        if (scanPoints === null) throw new FrameUnreadable(id, 'it has no scan');
        return { id, heads, scanPoints, registration };
      } catch (cause) {
        if (!(cause instanceof FormatError || cause instanceof ObjectNotFound)) throw cause;
        throw new FrameUnreadable(id, cause.message, { cause });
      }
    },
  };
}
