import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SavePlan } from '../../../training/loop/savePlan.js';

interface Simulated {
  /** Steps at which a checkpoint was taken. */
  readonly taken: readonly number[];
  /** The most steps that a kill would have cost. */
  readonly mostLost: number;
  /** Steps before which an upload was waited for. */
  readonly waited: readonly number[];
}

/** Steps of a second each, with uploads of so many seconds that run beside them. */
function simulate(
  uploadSeconds: number,
  options: { every: number; milestoneEvery?: number; steps: number },
): Simulated {
  const { every, milestoneEvery = null, steps } = options;
  const plan = new SavePlan({ every, milestoneEvery, from: 0 });
  const taken: number[] = [];
  const waited: number[] = [];
  let [now, counted, mostLost] = [0, 0, 0];
  let upload: { step: number; until: number } | null = null;
  let saveSeconds: number | null = null;
  const settle = (): void => {
    if (upload === null || upload.until > now) return;
    counted = upload.step;
    saveSeconds = uploadSeconds;
    upload = null;
  };
  const wait = (): void => {
    now = Math.max(now, upload?.until ?? 0);
    settle();
  };
  for (let step = 1; step <= steps; step++) {
    now++;
    settle();
    mostLost = Math.max(mostLost, step - counted);
    plan.stepped(1);
    if (plan.isDue(step, saveSeconds)) {
      wait();
      taken.push(step);
      upload = { step, until: now + uploadSeconds };
      plan.begun(step);
    }
    if (plan.mustWait(step, counted)) {
      if (upload !== null && upload.until > now) waited.push(step);
      wait();
    }
  }
  return { taken, mostLost, waited };
}

test('uploads that take less than a step are waited for, at whole intervals', () => {
  const { taken, mostLost } = simulate(0.5, { every: 10, steps: 45 });
  assert.deepEqual(taken, [10, 20, 30, 40]);
  assert.ok(mostLost <= 10);
});

test('longer ones are begun early: only the first, whose time was not known, is waited for', () => {
  const { taken, mostLost, waited } = simulate(12, { every: 100, steps: 1000 });
  assert.deepEqual(taken.slice(0, 4), [100, 185, 270, 355]);
  assert.deepEqual(waited, [100]);
  assert.ok(mostLost <= 100, `${mostLost}`);
});

test('a store that is slower than a quarter of the interval holds training up, and costs no more steps', () => {
  const { taken, mostLost, waited } = simulate(60, { every: 100, steps: 1000 });
  assert.deepEqual(taken.slice(0, 3), [100, 175, 250]);
  assert.ok(waited.length > 3 && mostLost <= 100, `${mostLost}`);
});

test('milestones are taken exactly at theirs', () => {
  const { taken, mostLost } = simulate(12, { every: 100, milestoneEvery: 500, steps: 1100 });
  assert.ok(taken.includes(500) && taken.includes(1000), taken.join(' '));
  assert.ok(mostLost <= 100);
});
