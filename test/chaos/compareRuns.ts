import { createHash } from 'node:crypto';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { partNames } from '../../checkpoints/reading/trainingState.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { readEvents } from '../checkpoints/events/eventReader.js';
import type { Cluster } from './cluster/cluster.js';
import { framesByStep } from './cluster/journal.js';

const stages = ['coarse', 'refinement'] as const;

/** What is left of a run, in a form that can be compared. */
export interface RunContent {
  /** SHA-256 of the final weights as the store has them, by stage; of predictions by key. */
  readonly weights: ReadonlyMap<string, string>;
  readonly predictions: ReadonlyMap<string, string>;
  /** `STAGE STEP TAG VALUE` in the order of TensorBoard's files; a picture's value is its SHA-256. */
  readonly events: readonly string[];
  /** What each step trained on, in its order. */
  readonly frames: ReadonlyMap<string, string>;
  readonly errors: string;
  /** What should not be there, whatever the other run has. */
  readonly problems: readonly string[];
}

export async function contentOf({ store, run, journal }: Cluster, result: FullTrainingResult): Promise<RunContent> {
  const problems: string[] = [];
  const weights = new Map<string, string>();
  for (const { stage, checkpoint } of result.stages) {
    const sha256 = await sha256Of(store, `${checkpoint.key}/model.safetensors`);
    if (sha256 !== checkpoint.modelSha256)
      problems.push(`${stage}: the weights in the store are not those that were named`);
    weights.set(stage, sha256);
  }
  const predictions = new Map<string, string>();
  for (const folder of [
    keys.predictions(run),
    keys.testPredictions(run, 'coarse'),
    keys.testPredictions(run, 'refinement'),
  ]) {
    for (const key of await keysBelow(store, `${folder}/`)) {
      predictions.set(key.slice(keys.run(run).length), await sha256Of(store, key));
    }
  }
  const events: string[] = [];
  for (const stage of stages) {
    const logged = await eventsOf(store, run, stage);
    events.push(...logged.events);
    problems.push(...logged.problems);
  }
  const { frames, differing } = framesByStep(journal.steps);
  problems.push(...differing.map((step) => `another attempt at a step saw other frames: ${step}`));
  return { weights, predictions, events, frames, errors: JSON.stringify(result.evaluation?.methods), problems };
}

/** The events of a stage as TensorBoard shows them, and what lies in its folders that its manifest does not name. */
export async function eventsOf(
  store: ObjectStore,
  run: string,
  stage: (typeof stages)[number],
): Promise<{ events: string[]; problems: string[] }> {
  const events: string[] = [];
  const problems: string[] = [];
  const manifest = await readManifest(store, run, stage);
  if (manifest === null) throw new Error(`${stage} of ${run} has no manifest`);
  const counted = manifest.events.map(({ key }) => key);
  const there = await keysBelow(store, `${keys.events(run, stage)}/`);
  if (there.join() !== [...counted].sort().join()) {
    problems.push(`${stage}: the events' folder has ${there.length} files, the manifest names ${counted.length}`);
  }
  // TensorBoard takes a folder's files in the order of their names.
  for (const key of there) events.push(...(await eventsIn(store, key, stage)));
  const parts = [...manifest.checkpoints, ...manifest.quarantined].map(({ key }) => `${key}/`);
  const unnamed = (await keysBelow(store, `${keys.checkpoints(run, stage)}/`)).filter(
    (key) => !parts.some((part) => key.startsWith(part)),
  );
  // A save whose last part arrived when nobody waited for it any more is a whole checkpoint, which no sweep takes.
  const partial = unnamed.filter((key) => !isWhole(key.slice(0, key.lastIndexOf('/')), unnamed));
  if (partial.length > 0) problems.push(`${stage}: the manifest does not name ${partial.join(', ')}`);
  return { events, problems };
}

const isWhole = (folder: string, all: readonly string[]): boolean =>
  partNames.every((name) => all.includes(`${folder}/${name}`));

/** @param expected the undisturbed run's. */
export function compareRuns(expected: RunContent, found: RunContent): { equal: string[]; problems: string[] } {
  const equal: string[] = [];
  const problems = [...expected.problems.map((problem) => `undisturbed run: ${problem}`), ...found.problems];
  const compare = (what: string, a: readonly string[], b: readonly string[]): void => {
    const differing = [...a.keys(), ...b.keys()].find((i) => a[i] !== b[i]);
    if (differing === undefined) equal.push(`${a.length} ${what}`);
    else problems.push(`${what} differ: expected ${a[differing] ?? 'no more'}, found ${b[differing] ?? 'no more'}`);
  };
  const lines = (map: ReadonlyMap<string, string>): string[] => [...map].map((pair) => pair.join(' ')).sort();
  compare("stages' final weights (SHA-256)", lines(expected.weights), lines(found.weights));
  compare('predicted meshes (SHA-256)', lines(expected.predictions), lines(found.predictions));
  compare('TensorBoard events in their order', expected.events, found.events);
  compare('training steps with the frames that they saw', lines(expected.frames), lines(found.frames));
  compare('table of errors', [expected.errors], [found.errors]);
  return { equal, problems };
}

async function eventsIn(store: ObjectStore, key: string, stage: string): Promise<string[]> {
  const { body } = await store.get(key);
  return readEvents(body).flatMap(({ step, tag, scalar, picture }) => {
    if (tag === undefined) return [];
    const value = picture ? createHash('sha256').update(picture.png).digest('hex') : scalar;
    return [`${stage} ${step} ${tag} ${value}`];
  });
}

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found.sort();
}

async function sha256Of(store: ObjectStore, key: string): Promise<string> {
  const { body } = await store.get(key);
  return createHash('sha256').update(body).digest('hex');
}
