import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../storage/keys.js';
import { StoreUnsuitable, type ObjectStore } from '../../storage/types.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { partNames } from '../../checkpoints/reading/trainingState.js';
import { LeaseLost, NoUsableCheckpoint } from '../../checkpoints/errors.js';
import { loadedStep, plainConfiguration, saveOf, stateAt } from './checkpointFixtures.js';

/** What checkpoints promise on every store; `open` gives an empty one. */
export function describeCheckpoints(name: string, open: () => Promise<ObjectStore>): void {
  describe(name, async () => {
    const store = await open();
    let runs = 0;
    const newRun = (): string => `run-${runs++}`;
    const claim = (
      run: string,
      attempt: string,
      configuration = plainConfiguration(),
      stage: 'coarse-pretraining' | 'coarse-finetuning' = 'coarse-pretraining',
    ): Promise<CheckpointStore> => CheckpointStore.claim(store, { run, stage, attempt, configuration });
    const objects = async (prefix: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of store.list(prefix)) found.push(key);
      return found;
    };
    const segment = (run: string, from: number, to: number): { key: string; from: number; to: number } => ({
      key: keys.eventSegment(run, 'coarse', from, 'one'),
      from,
      to,
    });
    const damage = async (run: string, attempt: string, step: number): Promise<void> => {
      const key = `${keys.checkpoint(run, 'coarse', step, attempt)}/model.safetensors`;
      const { body } = await store.get(key);
      body[body.length - 1]! ^= 1;
      await store.put(key, body);
    };

    test('a stage that never saved begins anew', async () => {
      assert.equal(await loadedStep(await claim(newRun(), 'one')), null);
    });

    test('what was saved comes back bit for bit', async () => {
      const run = newRun();
      const reference = await (await claim(run, 'one')).save(saveOf(10));
      assert.equal(reference.step, 10);
      const state = await (await claim(run, 'two')).load(() => undefined);
      assert.deepEqual(state, stateAt(10));
    });

    test('an attempt that was taken over cannot save, and takes nothing from its successor', async () => {
      const run = newRun();
      const zombie = await claim(run, 'zombie');
      await zombie.save(saveOf(10));
      const successor = await claim(run, 'successor');
      await assert.rejects(zombie.save(saveOf(20)), LeaseLost);
      await assert.rejects(zombie.save(saveOf(20, { finished: true })), LeaseLost);
      await successor.save(saveOf(20));
      assert.equal(await loadedStep(await claim(run, 'third')), 20);
      const manifest = await readManifest(store, run, 'coarse');
      assert.deepEqual(
        manifest!.checkpoints.map(({ step, attempt }) => [step, attempt]),
        [
          [10, 'zombie'],
          [20, 'successor'],
        ],
      );
    });

    test('of attempts that claim at once, one can save', async () => {
      const run = newRun();
      const claims = await Promise.all(
        Array.from({ length: 6 }, (_, index) => claim(run, `attempt-${index}`)).map((claimed) =>
          claimed.catch((cause: unknown) => {
            assert.ok(cause instanceof LeaseLost, String(cause));
            return null;
          }),
        ),
      );
      const saves = await Promise.allSettled(
        claims.map((claimed) => claimed?.save(saveOf(5)) ?? Promise.reject(new Error('no lease'))),
      );
      assert.equal(saves.filter(({ status }) => status === 'fulfilled').length, 1);
    });

    test('a damaged checkpoint is put aside, loudly, with the events behind the one before it', async () => {
      const run = newRun();
      const first = await claim(run, 'one');
      for (const { key } of [segment(run, 0, 10), segment(run, 10, 20)]) await store.put(key, new Uint8Array(4));
      await first.save(saveOf(10, { events: segment(run, 0, 10) }));
      await first.save(saveOf(20, { events: segment(run, 10, 20) }));
      await damage(run, 'one', 20);
      const warnings: string[] = [];
      const second = await claim(run, 'two');
      const state = await second.load((message) => warnings.push(message));
      assert.equal(state!.step, 10);
      assert.match(warnings[0]!, /step 20 .* is damaged: model\.safetensors has SHA-256/);
      assert.match(warnings.join('\n'), /goes on from the checkpoint of step 10/);
      assert.deepEqual(second.manifest.events, [segment(run, 0, 10)]);
      assert.ok(await store.head(segment(run, 0, 10).key));
      assert.equal(await store.head(segment(run, 10, 20).key), null, 'what TensorBoard would show twice');
      assert.deepEqual(
        second.manifest.quarantined.map(({ step }) => step),
        [20],
      );
      await second.save(saveOf(20));
      assert.equal(await loadedStep(await claim(run, 'three')), 20);
      assert.ok((await objects(`${keys.checkpoint(run, 'coarse', 20, 'one')}/`)).length === 3, 'the bad one is kept');
    });

    test('a missing part counts as damage, and a run without a readable checkpoint does not start over', async () => {
      const run = newRun();
      const first = await claim(run, 'one');
      const { key } = await first.save(saveOf(10));
      await store.delete([`${key}/optimizer.safetensors`]);
      await assert.rejects(loadedStep(await claim(run, 'two')), (error) => {
        assert.ok(error instanceof NoUsableCheckpoint);
        assert.match(error.message, /step 10 .*: optimizer\.safetensors is missing/);
        return true;
      });
      await assert.rejects(loadedStep(await claim(run, 'three')), NoUsableCheckpoint, 'nor when it is tried again');
    });

    test('a store that fails to delete does not fail a save, nor double what it counts', async () => {
      const run = newRun();
      const clinging: ObjectStore = { ...store, delete: () => Promise.reject(new Error('503 Slow Down')) };
      await claim(run, 'zero');
      const configuration = plainConfiguration();
      const checkpoints = await CheckpointStore.claim(
        {
          ...clinging,
          delete: (names) => (names.some((key) => key.includes('check-')) ? store : clinging).delete(names),
        },
        { run, stage: 'coarse-pretraining', attempt: 'one', configuration },
      );
      for (let step = 10; step <= 40; step += 10) {
        await checkpoints.save(saveOf(step, { events: segment(run, step - 10, step) }));
        // As one that seemed to fail, and is tried again.
        await checkpoints.save(saveOf(step, { events: segment(run, step - 10, step) }));
      }
      const { checkpoints: kept, events } = (await readManifest(store, run, 'coarse'))!;
      assert.deepEqual(
        kept.map(({ step }) => step),
        [30, 40],
      );
      assert.deepEqual(
        events.map(({ from }) => from),
        [0, 10, 20, 30],
      );
      await claim(run, 'two');
      assert.equal((await objects(`runs/${run}/coarse/checkpoints/`)).length, 6, 'the next attempt clears them away');
    });

    test('the last few and the milestones are kept, nothing else', async () => {
      const run = newRun();
      const checkpoints = await claim(run, 'one', plainConfiguration({ keepLast: 2, milestoneEvery: 30 }));
      for (let step = 10; step <= 70; step += 10) await checkpoints.save(saveOf(step));
      const steps = checkpoints.manifest.checkpoints.map(({ step }) => step);
      assert.deepEqual(steps, [30, 60, 70]);
      const folders = new Set((await objects(`runs/${run}/coarse/checkpoints/`)).map((key) => key.split('/')[4]));
      assert.deepEqual([...folders], ['00000030-one', '00000060-one', '00000070-one']);
    });

    test('the checkpoint that a stage ends with outlives the next stage', async () => {
      const run = newRun();
      const pretraining = await claim(run, 'one');
      await pretraining.save(saveOf(10));
      const final = await pretraining.save(saveOf(15, { finished: true }));
      const finetuning = await claim(run, 'two', plainConfiguration(), 'coarse-finetuning');
      for (let step = 20; step <= 50; step += 10) await finetuning.save(saveOf(step, { stage: 'coarse-finetuning' }));
      assert.deepEqual(
        finetuning.manifest.checkpoints.map(({ step }) => step),
        [15, 40, 50],
      );
      const finished = (await readManifest(store, run, 'coarse'))!.finished['coarse-pretraining'];
      assert.deepEqual([finished!.step, finished!.key, finished!.modelSha256], [15, final.key, final.modelSha256]);
      assert.ok(await store.head(`${final.key}/model.safetensors`));
    });

    test('parts of a checkpoint that never came to count are cleared away by the next attempt', async () => {
      const run = newRun();
      await (await claim(run, 'one')).save(saveOf(10));
      const unnamed = `${keys.checkpoint(run, 'coarse', 20, 'one')}/model.safetensors`;
      const openSegment = keys.eventSegment(run, 'coarse', 10, 'one');
      await store.put(unnamed, new Uint8Array(4));
      await store.put(openSegment, new Uint8Array(4));
      await claim(run, 'two');
      assert.equal(await store.head(unnamed), null);
      assert.equal(await store.head(openSegment), null);
      assert.equal((await objects(`runs/${run}/coarse/checkpoints/`)).length, 3);
    });

    test('what an attempt before the last left is cleared away too, where the last was killed before it swept; whole checkpoints stay', async () => {
      const run = newRun();
      await (await claim(run, 'one')).save(saveOf(10));
      const part = `${keys.checkpoint(run, 'coarse', 20, 'one')}/model.safetensors`;
      const openSegment = keys.eventSegment(run, 'coarse', 10, 'one');
      for (const key of [part, openSegment]) await store.put(key, new Uint8Array(4));
      const whole = partNames.map((name) => `${keys.checkpoint(run, 'coarse', 30, 'one')}/${name}`);
      for (const key of whole) await store.put(key, new Uint8Array(4));
      const stage = 'coarse-pretraining';
      for (const attempt of ['two', 'three']) {
        const cut: ObjectStore = {
          ...store,
          list() {
            throw new Error('killed');
          },
        };
        const job = { run, stage, attempt, configuration: plainConfiguration() } as const;
        await assert.rejects(CheckpointStore.claim(cut, job), /killed/);
      }
      await claim(run, 'four');
      assert.equal(await store.head(part), null);
      // It leads up to a whole checkpoint that a person may want back.
      assert.ok(await store.head(openSegment));
      for (const key of whole) assert.ok(await store.head(key), key);
    });

    test('a store that ignores conditions is refused', async () => {
      const careless: ObjectStore = {
        ...store,
        put: (key, body, { ifMatch: _, ifAbsent: __, ...options } = {}) => store.put(key, body, options),
      };
      const run = newRun();
      const configuration = plainConfiguration();
      const claiming = CheckpointStore.claim(careless, {
        run,
        stage: 'coarse-pretraining',
        attempt: 'one',
        configuration,
      });
      await assert.rejects(claiming, StoreUnsuitable);
      assert.deepEqual(await objects(`runs/${run}/`), [], 'nothing is left of the attempt');
    });

    test('a put whose answer was lost is not taken for a lost lease', async () => {
      const run = newRun();
      let lose = false;
      const flaky: ObjectStore = {
        ...store,
        put: async (key, body, options) => {
          const answer = await store.put(key, body, options);
          if (!lose || !key.endsWith('manifest.json')) return answer;
          lose = false;
          throw new Error('connection reset');
        },
      };
      const configuration = plainConfiguration();
      const checkpoints = await CheckpointStore.claim(flaky, {
        run,
        stage: 'coarse-pretraining',
        attempt: 'one',
        configuration,
      });
      lose = true;
      await assert.rejects(checkpoints.save(saveOf(10)), /connection reset/);
      await checkpoints.save(saveOf(10));
      await checkpoints.save(saveOf(20));
      assert.deepEqual(
        (await readManifest(store, run, 'coarse'))!.checkpoints.map(({ step }) => step),
        [10, 20],
      );
    });
  });
}
