import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runConfigurationSchema, type RunConfiguration } from '../../configs/schema/run.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { framePath } from '../../datasets/layout.js';
import { predictFolders } from '../../inference/folders/predictFrameList.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { importPublished } from '../../training/published/importPublished.js';
import { goldenFolder, goldenFrames } from '../datasets/reader/goldenFolder.js';
import { folderJob, tinyNetworks } from '../inference/folderJob.js';
import { writeTinyModels } from '../inference/tinyModels.js';
import { tempehFlow, tempehFlowAlone, type Finished } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const [frame] = goldenFrames;

test('models of a run in the store, by name, stage and step, predict as the files that they came from', async () => {
  const folder = temporaryFolder();
  await writeTinyModels(folder);
  const storage = { kind: 'directory' as const, path: join(folder, 'store') };
  const configuration: RunConfiguration = runConfigurationSchema.parse({ ...tinyNetworks, storage });
  const config = join(folder, 'tiny.json');
  await writeFile(config, JSON.stringify(configuration));
  const store = openStore(storage);
  await store.put(keys.runConfiguration('mine'), Buffer.from(JSON.stringify(configuration)));
  for (const [stage, step] of [
    ['coarse', 16],
    ['refinement', 5],
  ] as const) {
    const file = join(folder, `${stage}.pth`);
    await importPublished({ store, run: 'mine', configuration, file, stage, step, final: false });
  }
  const predictInto = (out: string, coarse: string, refinement: string, ...more: string[]): Promise<Finished> =>
    // A process has one precision for its whole life.
    (more.includes('bfloat16') ? tempehFlowAlone : tempehFlow)([
      ...['predict', 'both', '--coarse-model', coarse, '--refinement-model', refinement, '--config', config],
      ...['--list', join(goldenFolder, 'list.json'), '--images', join(goldenFolder, 'images')],
      ...['--calibrations', join(goldenFolder, 'calibrations'), '--template', join(goldenFolder, 'template.obj')],
      ...['--out', join(folder, out), ...more],
    ]);
  const predict = predictInto.bind(null, 'of-run');

  // The refinement is not at its end: only a checkpoint that is named can be meant.
  const unfinished = await predict('mine', 'mine');
  assert.equal(unfinished.code, 2);
  assert.match(unfinished.stderr, /refinement of run mine has not finished/);
  const missing = await predict('mine', 'mine@4');
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /mine has no refinement checkpoint of step 4 in .*store \(there are those of steps 5\)/);
  const { code, stdout, stderr } = await predict('mine/coarse@16', 'mine/refinement@5', '--json');
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { predicted: number }).predicted, 2);

  const out = join(folder, 'of-files');
  await predictFolders(
    folderJob('both', { data: goldenFolder, models: folder, out }),
    () => {},
    new AbortController().signal,
  );
  const [ofRun, ofFiles] = await Promise.all(
    ['of-run', 'of-files'].map((name) => readFile(join(folder, name, framePath(frame, 'ply')))),
  );
  assert.ok(ofRun!.equals(ofFiles!));

  const mixed = await predictInto('mixed', 'mine/coarse@16', 'mine/refinement@5', '--precision', 'bfloat16');
  assert.equal(mixed.code, 0, mixed.stderr);
  const vertices = (file: Buffer): Float32Array => parsePly(file, 'prediction').vertices;
  const [exact, moved] = [ofRun!, await readFile(join(folder, 'mixed', framePath(frame, 'ply')))].map(vertices);
  const off = Math.max(...exact!.map((value, i) => Math.abs(value - moved![i]!)));
  assert.ok(off > 0 && off < 0.01, `bfloat16 moves vertices by ${1000 * off} mm`);
  const unknown = await predict('mine/coarse@16', 'mine/refinement@5', '--precision', 'float8');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /precision.*float8.*float32.*tensorfloat32.*bfloat16/s);
});

test('what is neither a folder nor a run gets an error that speaks of both', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'tiny.json');
  const storage = { kind: 'directory' as const, path: join(folder, 'store') };
  await writeFile(config, JSON.stringify({ ...tinyNetworks, storage }));
  const predict = (...more: string[]): Promise<Finished> =>
    tempehFlow([
      ...['predict', 'coarse', '--coarse-model', 'coarse__TEMPEH', '--list', config, '--images', folder],
      ...['--calibrations', folder, '--out', folder, ...more],
    ]);
  const noStore = await predict();
  assert.equal(noStore.code, 2);
  assert.match(noStore.stderr, /coarse__TEMPEH: there is no such file or folder here.*If it is a run.*name its store/);
  const noRun = await predict('--config', config);
  assert.equal(noRun.code, 2);
  assert.match(noRun.stderr, /coarse__TEMPEH: there is no such file or folder here.*and no such run in .*store/);
});
