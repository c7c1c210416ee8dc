import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { readEvaluations, readSeries } from '../../evaluation/series/readSeries.js';
import type { MethodSpread } from '../../evaluation/series/spread.js';
import { keys } from '../../storage/keys.js';
import { chaosMiniature } from '../chaos/chaosMiniature.js';
import { Cluster } from '../chaos/cluster/cluster.js';
import { tempehFlow, type Finished } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const fewFrames = {
  ...chaosMiniature,
  subjects: { train: 2, validation: 1, test: 1 },
  framesPerSequence: { train: 2, validation: 1, test: 2 },
};

/** Real servers, workers and trainers; each test goes on from the one before. */
describe('series of runs', { timeout: 540_000 }, () => {
  const directory = temporaryFolder();
  const file = join(directory, 'run.json');
  let cluster: Cluster;
  before(async () => {
    const loaded = await loadConfiguration(join(packageRoot, 'test', 'chaos', 'chaos.yaml'), [
      'training.coarse-pretraining.iterations=4',
      'training.coarse-finetuning.iterations=8',
      'training.refinement.iterations=4',
      // A busy machine takes its time.
      'supervision.progressTimeoutSeconds=120',
    ]);
    const options = { directory, configuration: loaded, miniature: fewFrames, gpuWorkers: 1, disks: false };
    cluster = await Cluster.start('series', options);
    writeFileSync(file, JSON.stringify(cluster.configuration));
  });
  after(() => cluster?.stop());
  const run = (...args: string[]): Promise<Finished> =>
    tempehFlow([...args, '--address', cluster.temporal.address], { AWS_ENDPOINT_URL_S3: cluster.s3.endpoint });

  test('start --seeds 2 trains two runs on one data set, and ends with mean and spread', async () => {
    const { code, stdout, stderr } = await run(
      ...['start', 'full-training', '--config', file, '--run', 'repeats', '--seeds', '2'],
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /Runs: repeats-seed-3, repeats-seed-4/);
    const { store, client } = cluster;
    await client.workflow.getHandle('repeats').result();
    const series = await readSeries(store, 'repeats');
    assert.deepEqual(series?.members, [
      { run: 'repeats-seed-3', label: 'seed 3' },
      { run: 'repeats-seed-4', label: 'seed 4' },
    ]);
    const [first, second] = await readEvaluations(store, series);
    const median = (of: typeof first) =>
      of?.evaluation?.methods.find(({ method }) => method === 'coarse')?.pointToSurface.median;
    assert.notEqual(median(first), median(second), 'other seeds learn other weights');
    const logs: string[] = [];
    for await (const { key } of store.list('runs/')) if (key.includes('/logs/')) logs.push(key);
    assert.ok(logs.some((key) => key.includes('repeats-seed-4')));
    const indexes: string[] = [];
    for await (const { key } of store.list('datasets/')) if (key.endsWith('dataset.json')) indexes.push(key);
    assert.equal(indexes.length, 1);
    const page = Buffer.from((await store.get(keys.report('repeats'))).body).toString('utf8');
    assert.match(page, /repeats-seed-4<td class="text">runs\/repeats-seed-4\/evaluation\/report\.html/);
  });

  test('status, list, report and evaluate know the series by its name', async () => {
    const status = await run('status', 'repeats');
    assert.match(status.stdout, /✔ +seed 3 +repeats-seed-3 +2 test frames/, status.stdout + status.stderr);
    assert.match(status.stdout, /mean and spread of 2 runs/);
    assert.match(status.stdout, /refinement +\d+\.\d\d ± \d+\.\d\d/);
    const listed = JSON.parse((await run('list', '--json')).stdout) as { run: string; series: string | null }[];
    assert.deepEqual(
      listed.map((each) => [each.run, each.series]).sort(),
      [
        ['repeats', null],
        ['repeats-seed-3', 'repeats'],
        ['repeats-seed-4', 'repeats'],
      ].sort(),
    );
    const page = join(directory, 'page.html');
    assert.equal((await run('report', 'repeats', '--out', page)).code, 0);
    assert.match(readFileSync(page, 'utf8'), /mean and spread of 2 runs/);
    const out = join(directory, 'evaluation');
    const evaluated = await run('evaluate', 'repeats', '--out', out);
    assert.equal(evaluated.code, 0, evaluated.stdout + evaluated.stderr);
    const { spread, members } = JSON.parse(readFileSync(join(out, 'series.json'), 'utf8')) as {
      spread: MethodSpread[];
      members: { methods: { method: string; vertices: { mean: number } }[] }[];
    };
    const means = members.map(({ methods }) => methods.find(({ method }) => method === 'refinement')!.vertices.mean);
    const found = spread.find(({ method }) => method === 'refinement')?.vertices?.mean;
    const [a = NaN, b = NaN] = means;
    assert.ok(Math.abs(found!.mean - (a + b) / 2) < 1e-9);
    assert.ok(Math.abs(found!.standardDeviation - Math.abs(a - b) / Math.SQRT2) < 1e-9);
    assert.ok(readFileSync(join(out, 'repeats-seed-4', 'report.html'), 'utf8').includes('repeats-seed-4'));
  });

  test('ablate trains what lacks a part from what the whole has, and says how far off each is', async () => {
    const { store, client } = cluster;
    const { code, stdout, stderr } = await run('ablate', '--base', 'repeats-seed-3', '--run', 'parts', '--views', '2');
    assert.equal(code, 0, stdout + stderr);
    await client.workflow.getHandle('parts').result();
    const status = await run('status', 'parts');
    for (const label of ['everything, all views', '2 views', 'without the localiser', 'without surface-aware fusion']) {
      assert.match(status.stdout, new RegExp(`${label} +(\\d+\\.\\d\\d +){6}`), status.stdout + status.stderr);
    }
    assert.match(status.stdout, /without point to surface .*[+−]\d+ %/);
    const page = Buffer.from((await store.get(keys.report('parts'))).body).toString('utf8');
    assert.match(page, /<tr><th>without the localiser<td>\d/);

    const startOf = async (name: string, stage: 'coarse' | 'refinement') => {
      const manifest = await readManifest(store, name, stage);
      return manifest?.checkpoints.map((checkpoint) => [
        checkpoint.stage,
        checkpoint.step,
        checkpoint.attempt.startsWith('branch-'),
      ]);
    };
    assert.deepEqual(await startOf('parts-2-views', 'refinement'), [['refinement', 4, true]]);
    assert.deepEqual((await startOf('parts-without-fusion', 'coarse'))?.at(-1), ['coarse-finetuning', 8, true]);
    assert.deepEqual((await startOf('parts-without-fusion', 'refinement'))?.at(-1), ['refinement', 4, false]);
    const pointless = await startOf('parts-without-p2s', 'coarse');
    assert.deepEqual(
      [pointless?.[0], pointless?.at(-1)],
      [
        ['coarse-pretraining', 4, true],
        ['coarse-finetuning', 8, false],
      ],
    );
    assert.ok((await startOf('parts-without-localiser', 'coarse'))?.every(([, , branched]) => !branched));
    const evaluations = await readEvaluations(store, (await readSeries(store, 'parts'))!);
    const refined = evaluations.map(
      ({ evaluation }) => evaluation?.methods.find(({ method }) => method === 'refinement')?.vertices?.mean,
    );
    assert.equal(new Set(refined).size, 5, 'each run predicts other heads');
    const coarse = evaluations.map(
      ({ evaluation }) => evaluation?.methods.find(({ method }) => method === 'coarse')?.vertices?.mean,
    );
    assert.equal(coarse[3], coarse[0], 'fusion is of the refinement alone');
  });

  test('what cannot be is refused with what was expected', async () => {
    const one = await run('start', 'full-training', '--config', file, '--seeds', '1');
    assert.deepEqual([one.code, /--seeds 1: expected a whole number from 2 to 32/.test(one.stderr)], [2, true]);
    const step = await run('start', 'dataset', '--config', file, '--run', 'repeats', '--seeds', '2');
    assert.deepEqual([step.code, /dataset is a step of one run/.test(step.stderr)], [2, true], step.stderr);
    const taken = await run('start', 'full-training', '--config', file, '--run', 'repeats-seed-3', '--seeds', '2');
    assert.match(taken.stderr, /repeats-seed-3 is the name of a run: give the series another/);
    const part = await run('ablate', '--config', file, '--what', 'views,eyes');
    assert.deepEqual([part.code, /eyes is none of views, localiser, fusion, p2s/.test(part.stderr)], [2, true]);
    const view = await run('ablate', '--config', file, '--views', '1,4');
    assert.deepEqual([view.code, /--views 1,4: expected whole numbers, 2 or more/.test(view.stderr)], [2, true]);
    const series = await run('ablate', '--base', 'repeats');
    assert.deepEqual(
      [series.code, /--base repeats: it is a series; name one of its runs/.test(series.stderr)],
      [2, true],
    );
  });
});
