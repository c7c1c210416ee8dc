import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationChanges } from '../../configs/changes/changes.js';
import { loadConfiguration, resolveConfiguration } from '../../configs/load.js';
import { ablationMembers, ablations } from '../../configs/series/ablations.js';

test('each run of an ablation differs from the whole by what it lacks, and by nothing else', async () => {
  const configuration = await loadConfiguration('famos', ['storage.bucket=heads']);
  const members = ablationMembers({ run: 'a', base: 'whole', configuration, what: [...ablations], views: [2, 4] });
  const differences = members.map(({ run, configuration: own, from, after, steps }) => {
    const changed = configurationChanges(configuration, own).map(({ setting }) => setting);
    const settings = changed.filter((setting) => !setting.includes('pointRegionWeights'));
    return [run, settings, from?.stage ?? null, after?.step ?? null, steps ?? null];
  });
  const p2s = ['coarse-finetuning', 'refinement'].map((stage) => `training.${stage}.losses.pointsToSurface`);
  assert.deepEqual(differences, [
    ['whole', [], null, null, null],
    ['a-2-views', ['viewsAtMost'], 'refinement', 'refinement', ['evaluation']],
    ['a-4-views', ['viewsAtMost'], 'refinement', 'refinement', ['evaluation']],
    ['a-without-localiser', ['model.coarse.localiser.enabled'], null, 'dataset', null],
    ['a-without-fusion', ['model.refinement.fusion'], 'coarse-finetuning', 'coarse-finetuning', null],
    ['a-without-p2s', p2s, 'coarse-pretraining', 'coarse-pretraining', null],
  ]);
  // Eyeballs alone would be drawn to anything.
  assert.equal(members.at(-1)?.configuration.training.refinement.pointRegionWeights.face, 1);
  // What one of them is started with is a configuration that workers take.
  for (const { run, configuration: own } of members) {
    assert.deepEqual(resolveConfiguration(JSON.stringify(own), run), own);
  }
});

test('a part that a model has not cannot be frozen', async () => {
  const settings = ['model.coarse.localiser.enabled=false', 'training.coarse-finetuning.frozen=[localiser]'];
  await assert.rejects(
    loadConfiguration('miniature', settings),
    /training\.coarse-finetuning\.frozen.*holds localiser, which the coarse model \(localiser\.enabled: false\) has not/s,
  );
});
