import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadConfiguration } from '../../configs/load.js';
import { evaluateRun, evaluateShard } from '../../evaluation/evaluateRun.js';
import { asEvaluation } from '../../evaluation/measure/asEvaluation.js';
import type { Measurement } from '../../evaluation/measure/types.js';
import { evaluationToken, shardsOf, storedShards } from '../../evaluation/shards.js';
import type { Evaluation } from '../../evaluation/types.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { storePredictedRun, testFrames } from './predictedRun.js';

const folder = temporaryFolder();
const store = directoryStore(folder);
const configurationOf = (framesPerShard: number) =>
  loadConfiguration('miniature', [
    ...['storage.kind=directory', `storage.path=${folder}`, 'dataset.name=heads'],
    `predictions.framesPerShard=${framesPerShard}`,
  ]);

/** As if by workers that know nothing of each other, the last shard first. */
async function inShards(run: string, framesPerShard: number): Promise<Evaluation> {
  const configuration = await configurationOf(framesPerShard);
  const token = await evaluationToken(store, run, configuration);
  for (const shard of [...shardsOf(testFrames.length, configuration)].reverse()) {
    await evaluateShard({ store, run, configuration, token }, shard);
  }
  return evaluateRun({ store, run, configuration, token });
}

/** Every number of a value, by its path, and everything else. */
function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}

/** Of sums over frames, which are added shard by shard; relative. */
const rounding = 1e-12;
/** Of roots of differences of such sums, where what is left may be nothing; mm. */
const ofRoots = 1e-6;
const isRoot = (path: string): boolean => /\.(standardDeviation|pose|identity|expression\w*)$/.test(path);
const isSum = (path: string): boolean =>
  /\.(mean|standardDeviation|pose|identity|expression\w*|acceleration)$/.test(path);

describe('evaluation in shards', () => {
  let one: Evaluation;
  before(async () => {
    await storePredictedRun(store, { dataset: 'heads', runs: ['one', 'some', 'local'] });
    one = await evaluateRun({ store, run: 'one', configuration: await configurationOf(1000) });
  });

  test('shards of whatever size come to the same: counts and quantiles exactly, sums but for rounding', async () => {
    assert.equal(one.frames, testFrames.length - 2);
    assert.deepEqual(
      one.leftOut.map(({ frame }) => frame),
      ['000000', '000003'],
    );
    assert.ok(one.methods.some(({ acceleration, parts }) => acceleration! > 0 && parts!.identity > 0));
    for (const size of [1, 4, 7]) {
      const found = new Map(leaves({ ...(await inShards('some', size)), run: 'one' }));
      const expected = leaves(one);
      assert.equal(found.size, expected.length, `shards of ${size}`);
      for (const [path, value] of expected) {
        const here = found.get(path);
        if (!isSum(path)) assert.equal(here, value, `${path} in shards of ${size}`);
        else {
          const difference = Math.abs((here as number) - (value as number));
          const most = isRoot(path) ? ofRoots : rounding * Math.abs(value as number);
          assert.ok(difference <= most, `${path}: ${here}, not ${value}`);
        }
      }
    }
  });

  test('the same shards give the same bits: measured apart or in a row, and by the command on this machine', async () => {
    const stored = () => store.get(keys.evaluation('local')).then(({ body }) => Buffer.from(body).toString());
    const configuration = await configurationOf(4);
    await evaluateRun({ store, run: 'local', configuration });
    const inRow = await stored();
    const token = await evaluationToken(store, 'local', configuration);
    await store.delete([...(await storedShards(store, 'local', token))]);
    await inShards('local', 4);
    assert.equal(await stored(), inRow);

    await store.put(keys.runConfiguration('local'), Buffer.from(JSON.stringify(configuration)));
    const out = join(folder, 'out');
    const settings = ['--set', 'storage.kind=directory', '--set', `storage.path=${folder}`];
    const { code, stderr } = await tempehFlow(['evaluate', 'local', ...settings, '--out', out, '--allow-failures']);
    assert.equal(code, 0, stderr);
    const measured = JSON.parse(await readFile(join(out, 'evaluation.json'), 'utf8')) as Measurement;
    assert.deepEqual(JSON.parse(JSON.stringify(asEvaluation(measured))), JSON.parse(inRow));
  });

  test('what is measured is not measured again; a damaged shard is, and all of other predictions', async () => {
    const configuration = await configurationOf(4);
    const token = await evaluationToken(store, 'some', configuration);
    const shards = shardsOf(testFrames.length, configuration);
    const key = (index: number) => keys.evaluationShard('some', token, index);
    const states = () => Promise.all(shards.map(async ({ index }) => (await store.head(key(index)))!.etag));
    const expected = JSON.stringify(await inShards('some', 4));
    const before = await states();
    await store.put(key(2), Buffer.from('torn'));
    assert.equal(JSON.stringify(await evaluateRun({ store, run: 'some', configuration })), expected);
    const after = await states();
    for (const { index } of shards) assert.equal(after[index] === before[index], index !== 2, `shard ${index}`);

    const { subject, sequence, frame } = testFrames.at(-1)!;
    const path = `${subject}/${sequence}/${sequence}.${frame}.ply`;
    const other = (await store.get(`${keys.testPredictions('some', 'coarse')}/${path}`)).body;
    await store.put(`${keys.testPredictions('some', 'refinement')}/${path}`, other);
    assert.notEqual(await evaluationToken(store, 'some', configuration), token);
    assert.notEqual(JSON.stringify(await evaluateRun({ store, run: 'some', configuration })), expected);
  });
});
