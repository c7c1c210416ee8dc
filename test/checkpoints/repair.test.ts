import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { EventLog } from '../../checkpoints/events/eventLog.js';
import { emptyManifest } from '../../checkpoints/manifest/manifest.js';
import { chooseSegments, missingSteps } from '../../checkpoints/repair/chooseSegments.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { encodeTrainingState } from '../../checkpoints/reading/trainingState.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { tempehFlow } from '../support/commandLine.js';
import { loadedStep, plainConfiguration, stateAt } from './checkpointFixtures.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const store = directoryStore(folder);
const file = join(folder, 'config.yaml');
await writeFile(file, JSON.stringify({ ...plainConfiguration(), storage: { kind: 'directory', path: folder } }));
const repair = (run: string, ...more: string[]) => tempehFlow(['repair', run, '--config', file, ...more]);

/** Saves at steps 10, 20 … with their events, the last one final. */
async function train(run: string, attempt: string, steps: readonly number[], isFinal = false): Promise<void> {
  const configuration = plainConfiguration({ keepLast: 3 });
  const stage = 'coarse-pretraining';
  const checkpoints = await CheckpointStore.claim(store, { run, stage, attempt, configuration });
  const events = new EventLog({ store, run, stage: 'coarse', attempt }, (await loadedStep(checkpoints)) ?? 0);
  for (const step of steps) {
    events.scalar(step, 'loss', step);
    const segment = events.seal(step)!;
    await segment.upload();
    const finished = isFinal && step === steps.at(-1);
    const parts = encodeTrainingState(stateAt(step), {}, finished ? [stage] : []);
    const { key, from, to } = segment;
    await checkpoints.save({ step, stage, parts, events: { key, from, to }, finished, loss: step / 8 });
  }
  events.scalar(steps.at(-1)! + 1, 'loss', 0);
  await events.uploadOpen();
}

test('what `repair` writes is what was lost: checkpoints, what is finished, events; first it shows it', async () => {
  await train('lost', 'one', [10, 20]);
  await train('lost', 'two', [30, 40], true);
  const before = (await readManifest(store, 'lost', 'coarse'))!;
  const key = keys.manifest('lost', 'coarse');
  await store.delete([key]);
  const torn = `${keys.checkpoint('lost', 'coarse', 50, 'two')}/model.safetensors`;
  await store.put(torn, Buffer.from('x'));

  const shown = await repair('lost');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /coarse: runs\/lost\/coarse\/manifest\.json is missing/);
  assert.match(shown.stdout, /step 40 .*whole, as it was saved .*done with it: coarse-pretraining/);
  assert.match(shown.stdout, /00000050-two: optimizer\.safetensors is missing; left out, and left there/);
  assert.match(shown.stdout, /4 segments of events, to step 40[^]*Nothing was changed\. With --yes/);
  assert.equal(await store.head(key), null);

  const written = await repair('lost', '--yes');
  assert.equal(written.code, 0, written.stderr);
  const found = (await readManifest(store, 'lost', 'coarse'))!;
  assert.deepEqual(found.events, before.events);
  const facts = ({ createdAt: _, ...checkpoint }: (typeof found.checkpoints)[number]) => checkpoint;
  assert.deepEqual(found.checkpoints.map(facts), before.checkpoints.map(facts));
  const { at: _, ...final } = found.finished['coarse-pretraining']!;
  assert.deepEqual({ ...final, at: before.finished['coarse-pretraining']!.at }, before.finished['coarse-pretraining']);
  assert.ok(await store.head(torn));

  const again = await repair('lost');
  assert.match(again.stdout, /manifest\.json can be read\n.*\n? *nothing to repair/);
  assert.equal((await repair('unknown')).code, 1);
});

test('a manifest that cannot be read is replaced, and kept beside; an older one is completed', async () => {
  await train('spoilt', 'one', [10, 20]);
  const key = keys.manifest('spoilt', 'coarse');
  const older = await store.get(key);
  await train('spoilt', 'two', [30]);
  await store.put(key, Buffer.from('null'));
  const { stdout, code } = await repair('spoilt', '--yes');
  assert.equal(code, 0);
  assert.match(stdout, /does not hold what is expected there: .*received null/);
  assert.equal(Buffer.from((await store.get(keys.unreadableManifest('spoilt', 'coarse', 1))).body).toString(), 'null');
  const steps = async () => (await readManifest(store, 'spoilt', 'coarse'))!.checkpoints.map(({ step }) => step);
  assert.deepEqual(await steps(), [10, 20, 30]);

  await store.put(key, older.body);
  const shown = await repair('spoilt', '--yes');
  assert.match(shown.stdout, /can be read\n {2}\+ checkpoint {2}step 30 /);
  assert.deepEqual(await steps(), [10, 20, 30]);
  assert.equal((await readManifest(store, 'spoilt', 'coarse'))!.events.length, 3);
});

test('a checkpoint whose bytes are not those that its state names is left out; with none left it fails', async () => {
  await train('rotten', 'one', [10, 20]);
  const part = `${keys.checkpoint('rotten', 'coarse', 20, 'one')}/model.safetensors`;
  const { body } = await store.get(part);
  body[body.length - 1]! ^= 1;
  await store.put(part, body);
  await store.delete([keys.manifest('rotten', 'coarse')]);
  const shown = await repair('rotten');
  assert.match(
    shown.stdout,
    /\+ checkpoint {2}step 10[^]*00000020-one: model\.safetensors has SHA-256 .*; .* was written/,
  );
  await store.delete([`${keys.checkpoint('rotten', 'coarse', 10, 'one')}/state.json`]);
  const { code, stderr } = await repair('rotten', '--yes');
  assert.equal(code, 1);
  assert.match(stderr, /No whole checkpoint is left below runs\/rotten\/coarse\/checkpoints\. Restore the objects/);
  assert.equal(await store.head(keys.manifest('rotten', 'coarse')), null);
});

test('of overlapping segments, those are chosen that together hold the most', () => {
  const segment = (from: number, attempt: string, lastStep: number, records: number) => {
    return { key: `${from}.${attempt}`, from, attempt, lastStep, records };
  };
  const candidates = [
    segment(0, 'a', 10, 10),
    // Died on its way to 20.
    segment(10, 'a', 14, 4),
    segment(10, 'b', 20, 10),
    // Saved at 27 when it was told to stop; retention dropped that checkpoint.
    segment(20, 'b', 27, 7),
    segment(27, 'c', 30, 3),
    // A worker that was given up, and wrote on.
    segment(20, 'z', 30, 8),
    segment(30, 'c', 33, 3),
  ];
  const saved = [
    { step: 20, attempt: 'b' },
    { step: 30, attempt: 'c' },
  ];
  const chosen = chooseSegments(candidates, saved);
  assert.deepEqual(
    chosen.map(({ key, to }) => `${key} ${to}`),
    ['0.a 10', '10.b 20', '20.b 27', '27.c 30'],
  );
  assert.deepEqual(missingSteps(chosen, 30), []);
  assert.deepEqual(
    missingSteps(
      chosen.slice(1).filter(({ from }) => from !== 20),
      40,
    ),
    [
      [20, 27],
      [30, 40],
    ],
  );
  assert.deepEqual(chooseSegments([], saved), emptyManifest('r', 'coarse').events);
});
