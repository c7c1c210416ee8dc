import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { endTeam, leadTeam, teamControl } from '../../../training/losses/surface/team.js';
import { exampleUnit, type ExampleTeam } from './exampleHelper.js';

const units = [30, 40] as const;
const sharedNumbers = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
const team: ExampleTeam = {
  control: teamControl(2),
  doneBy: sharedNumbers(70),
  times: sharedNumbers(70),
  before: sharedNumbers(40),
  firstDone: sharedNumbers(1),
  failing: sharedNumbers(1).fill(-1),
  unitsOfFirst: 30,
};

function lead(): { readonly isWhole: boolean; readonly threads: ReadonlySet<number> } {
  team.times.fill(0);
  team.firstDone.fill(0);
  const isWhole = leadTeam(team.control, units, exampleUnit(team, 0));
  return { isWhole, threads: new Set(team.doneBy) };
}

test('each unit is done once, by whoever is free; stages follow one another; helpers come and end', async () => {
  assert.deepEqual([...lead().threads], [0], 'alone, before there is a helper');
  const helpers = [1, 2].map(() => new Worker(new URL('./exampleHelper.js', import.meta.url), { workerData: team }));
  const ends = helpers.map((helper) => once(helper, 'exit'));
  let seen = 0;
  for (let tries = 0; seen < 2 && tries < 500; tries++) {
    const { isWhole, threads } = lead();
    assert.ok(isWhole);
    assert.ok(team.times.every((times) => times === 1));
    assert.ok(team.before.every((before) => before === 30));
    seen = [...threads].filter((thread) => thread !== 0).length;
    await sleep(5);
  }
  assert.equal(seen, 2, 'both helpers took part');

  let isNoticed = false;
  for (let tries = 0; !isNoticed && tries < 500; tries++) {
    team.failing[0] = tries % 30;
    isNoticed = !lead().isWhole;
    await sleep(1);
  }
  assert.ok(isNoticed, 'what a helper failed in is reported, and nobody waits for it');
  team.failing[0] = -1;
  assert.ok(lead().isWhole, 'and the next work is done as ever');

  endTeam(team.control);
  assert.deepEqual(await Promise.all(ends), [[0], [0]]);
});
