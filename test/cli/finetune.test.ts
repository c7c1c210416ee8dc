import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runConfigurationSchema, type RunConfiguration } from '../../configs/schema/run.js';
import { openStore } from '../../storage/openStore.js';
import { importPublished } from '../../training/published/importPublished.js';
import { goldenFolder } from '../datasets/reader/goldenFolder.js';
import { tinyNetworks } from '../inference/folderJob.js';
import { writeTinyModels } from '../inference/tinyModels.js';
import { tempehFlow, type Finished } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** What `start finetune` says of its models before Temporal is asked: none answers here, which has exit code 3. */
const folder = temporaryFolder();
const storage = { kind: 'directory' as const, path: join(folder, 'store') };
const [coarse, refinement] = [join(folder, 'coarse.pth'), join(folder, 'refinement.pth')];
const config = join(folder, 'tiny.json');

await writeTinyModels(folder);
const { dataset } = tinyNetworks;
const layout = { ...dataset.layout, template: { file: join(goldenFolder, 'template.obj') } };
const configuration: RunConfiguration = runConfigurationSchema.parse({
  ...tinyNetworks,
  storage,
  dataset: { ...dataset, layout },
});
await writeFile(config, JSON.stringify(configuration));
const run = { store: openStore(storage), run: 'begun', configuration };
await importPublished({ ...run, file: coarse, stage: 'coarse', step: 1, final: false });

function finetune(...given: string[]): Promise<Finished> {
  const own = ['--config', config, '--address', '127.0.0.1:1'];
  return tempehFlow(['start', 'finetune', ...own, '--from-checkpoint', ...given]);
}

test('models may stand in either order: what they are, their files say', async () => {
  for (const models of [
    [coarse, refinement],
    [refinement, coarse],
  ]) {
    const { code, stderr } = await finetune(...models);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /127\.0\.0\.1:1/);
  }
});

test('models that are missing, of one stage twice, or of other networks are reported before Temporal is asked', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[coarse, join(folder, 'none.pth')], /none\.pth: there is no such file or folder; expected a published checkpoint/],
    [[refinement], /a refinement model alone; name the coarse model/],
    [[coarse, coarse], /two coarse models/],
    [['nobody'], /nobody has no coarse checkpoint/],
    [[coarse, '--set', 'model.coarse.v2v.frontChannels=3'], /does not hold what the configured network needs/],
    [[coarse, '--run', 'begun'], /found a coarse checkpoint of it in .*; tempeh-flow resume begun goes on with it/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await finetune(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, expected);
  }
});

test('what a branch starts from is looked at before Temporal is asked', async () => {
  const branch = (from: string): Promise<Finished> =>
    tempehFlow(['start', 'full-training', '--config', config, '--address', '127.0.0.1:1', '--from', from]);
  const missing = await branch('nobody/coarse');
  assert.match(missing.stderr, /Run nobody has no coarse checkpoint/);
  const step = await branch('begun/coarse@7');
  assert.match(step.stderr, /begun has no coarse checkpoint of step 7; it has: 1/);
  const there = await branch('begun/coarse');
  assert.equal(there.code, 3, there.stderr);
});
