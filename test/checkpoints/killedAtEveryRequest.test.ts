import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import type { ObjectInformation, ObjectStore } from '../../storage/types.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { loadedStep, plainConfiguration, saveOf } from './checkpointFixtures.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/**
 * A trainer that is killed at any of the requests that it makes of its store, from its claim to its stage's end: in the
 * upload of a part, inside the manifest's put, in retention's deletion, in a sweep. Another goes on.
 */
const root = temporaryFolder();
const configuration = plainConfiguration({ keepLast: 2 });
const lastStep = 40;

/** What becomes of the request in which it is killed. One that never arrives is as one killed after the request before. */
const fates = ['arrives at once', 'arrives when another has gone on'] as const;

class Killed extends Error {
  override readonly name = 'Killed';
}

/** A store for a process that makes so many requests, and then is killed in the next. */
function untilRequest(store: ObjectStore, fatal: number, fate: (typeof fates)[number]) {
  let requests = 0;
  let arrive: () => Promise<unknown> = async () => undefined;
  const request = async <T>(work: () => Promise<T>): Promise<T> => {
    const number = ++requests;
    if (number < fatal) return work();
    if (number === fatal && fate === 'arrives at once') await work();
    else if (number === fatal) arrive = work;
    throw new Killed();
  };
  const dying: ObjectStore = {
    ...store,
    get: (key, options) => request(() => store.get(key, options)),
    put: (key, body, options) => request(() => store.put(key, body, options)),
    head: (key) => request(() => store.head(key)),
    delete: (names) => request(() => store.delete(names)),
    async *list(prefix) {
      yield* await request(() => listed(store, prefix));
    },
  };
  return { dying, requests: () => requests, arrive: () => arrive() };
}

async function listed(store: ObjectStore, prefix: string): Promise<ObjectInformation[]> {
  const found: ObjectInformation[] = [];
  for await (const information of store.list(prefix)) found.push(information);
  return found;
}

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await listed(store, `${prefix}/`)).map(({ key }) => key).sort();
}

/** Trains to the stage's end. @param saved called for every step whose save came back */
async function train(store: ObjectStore, run: string, attempt: string, saved: (step: number) => Promise<void>) {
  const checkpoints = await CheckpointStore.claim(store, { run, stage: 'coarse-pretraining', attempt, configuration });
  const begun = (await loadedStep(checkpoints)) ?? 0;
  for (let step = begun + 10; step <= lastStep; step += 10) {
    const from = step - 10;
    const key = keys.eventSegment(run, 'coarse', from, attempt);
    await store.put(key, Buffer.from(`${from} to ${step}`));
    await checkpoints.save(saveOf(step, { events: { key, from, to: step }, finished: step === lastStep }));
    await saved(step);
  }
  return begun;
}

/** @returns how many requests it made */
async function killedAt(fatal: number, fate: (typeof fates)[number]): Promise<number> {
  const run = `run-${fatal}-${fates.indexOf(fate)}`;
  const what = `killed at request ${fatal}, which ${fate}`;
  const store = directoryStore(join(root, run));
  const { dying, requests, arrive } = untilRequest(store, fatal, fate);
  let reached = 0;
  await train(dying, run, 'first', async (step) => void (reached = step)).catch((cause: unknown) => {
    assert.ok(cause instanceof Killed, `${what}: ${String(cause)}`);
  });
  let isLate = true;
  const begun = await train(store, run, 'second', async () => {
    // A condition that does not hold any more is refused.
    if (isLate) await arrive().catch(() => undefined);
    isLate = false;
  });
  assert.ok(begun >= reached, `${what}: step ${reached} was saved, and it went on from ${begun}`);
  const manifest = (await readManifest(store, run, 'coarse'))!;
  assert.equal(manifest.finished['coarse-pretraining']?.step, lastStep, what);
  assert.deepEqual(
    manifest.events.map(({ from, to }) => [from, to]),
    [0, 10, 20, 30].map((from) => [from, from + 10]),
    `${what}: events`,
  );
  // What arrived late is of an attempt that nobody knows of any more: it goes when it is old.
  const old = plainConfiguration({ keepLast: 2, sweepAfterHours: 0 });
  const third = () =>
    CheckpointStore.claim(store, { run, stage: 'coarse-pretraining', attempt: 'third', configuration: old });
  // What came behind the stage's end is swept by the next claim; so is what was left by who was killed there.
  if (fate !== 'arrives at once' || begun === lastStep) await third();
  const named = manifest.checkpoints.flatMap(({ key, parts }) => Object.keys(parts).map((name) => `${key}/${name}`));
  const parts = await keysBelow(store, keys.checkpoints(run, 'coarse'));
  const unnamed = parts.filter((key) => !named.includes(key));
  // The last part of a save that nobody waited for: a whole checkpoint, which no sweep takes.
  const isWhole = fate !== 'arrives at once' && unnamed.length === 3 && unnamed.every((key) => key.includes('-first/'));
  assert.deepEqual(isWhole ? [] : unnamed, [], `${what}: parts that nothing names`);
  assert.equal(parts.length, named.length + unnamed.length, `${what}: parts`);
  const shown = await keysBelow(store, keys.events(run, 'coarse'));
  assert.deepEqual(shown, manifest.events.map(({ key }) => key).sort(), `${what}: events in their folder`);
  assert.equal(await loadedStep(await third()), lastStep, what);
  return requests();
}

for (const fate of fates) {
  test(`a trainer killed at any request, which ${fate}: nothing that was saved is lost, nothing counts twice`, async () => {
    const all = await killedAt(Infinity, fate);
    assert.ok(all > 30, `${all} requests`);
    // The disk is what takes its time: many at once.
    await mapLimited([...Array(all).keys()], 10, (before) => killedAt(before + 1, fate));
  });
}
