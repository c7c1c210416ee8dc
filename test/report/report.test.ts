import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { chooseFrames } from '../../report/frames/chooseFrames.js';
import { frontOf } from '../../report/frames/frontOf.js';
import { readHistory } from '../../report/history/readHistory.js';
import type { Curve } from '../../report/history/series.js';
import { reportPage } from '../../report/page.js';
import { runReport } from '../../report/runReport.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { begun, someEvaluation, someFrames, trainedBy } from './reportFixture.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const store = directoryStore(folder);
await trainedBy(store, 'r');

/** What a block of a page holds. */
const unpacked = (page: string, id: string): unknown => {
  const block = new RegExp(`<script type="application/gzip" id="${id}">([^<]*)</script>`).exec(page);
  assert.ok(block, `${id} is in the page`);
  return JSON.parse(gunzipSync(Buffer.from(block[1]!, 'base64')).toString());
};

test('history: attempts and waits are shown, steps that were thrown away are not counted', async () => {
  const { attempts, curves, problems } = await readHistory(store, 'r');
  assert.deepEqual(
    attempts.map(({ attempt, fromStep, toStep, from }) => [attempt, fromStep, toStep, (from - begun) / 3600]),
    [
      ['one', 0, 199, 0],
      ['two', 200, 399, 3],
      ['three', 400, 599, 6],
    ],
  );
  const loss = curves.find(({ title }) => title === 'coarse: loss')!;
  const [train, validation] = loss.lines;
  assert.deepEqual(
    train!.steps,
    Array.from({ length: 600 }, (_, step) => step),
    'each step once, in order',
  );
  assert.equal(train!.values[199], Math.fround(100 / 200));
  assert.deepEqual([validation!.label, validation!.steps.length], ['validation', 12]);
  assert.deepEqual(problems, []);
});

test('a page can be made while a run trains; a damaged segment is named, the others are drawn', async () => {
  const page = (await runReport({ store, run: 'r', gpuPrice: 2 }))!;
  assert.match(page, /Not evaluated yet/);
  const [, hours, cost] = /([\d.]+) GPU hours at 2 an hour: ([\d.]+)\./.exec(page) ?? [];
  assert.ok(Number(hours) > 0 && Math.abs(Number(cost) - 2 * Number(hours)) < 0.02, `${hours} hours cost ${cost}`);
  assert.doesNotMatch((await runReport({ store, run: 'r' }))!, /GPU hours/, 'without a price nothing is said');
  assert.match(page, /2 h 59 min of training in 6 h 59 min, by 3 attempts/);
  assert.deepEqual(
    (unpacked(page, 'curves-data') as Curve[]).map(({ title }) => title),
    ['coarse: loss', 'coarse: learning rate'],
  );
  const key = keys.eventSegment('r', 'coarse', 200, 'two');
  const { body } = await store.get(key);
  await store.put(key, body.subarray(0, body.length - 3));
  const damaged = (await runReport({ store, run: 'r' }))!;
  assert.match(
    damaged,
    /Not in the curves: runs\/r\/coarse\/events\/events\.out\.tfevents\.0000000200\.two, byte \d+: the record ends early/,
  );
  assert.match(damaged, /by 3 attempts/);
  await store.put(key, body);
});

test('a run that is not there has no page; an evaluation of another form is refused by name', async () => {
  assert.equal(await runReport({ store, run: 'other' }), null);
  await store.put(keys.evaluation('r'), Buffer.from('{"version":1,"run":7}'));
  await assert.rejects(
    runReport({ store, run: 'r' }),
    /runs\/r\/evaluation\/evaluation\.json .*run: .*tempeh-flow start evaluation/s,
  );
  await store.delete([keys.evaluation('r')]);
});

test('the frames shown are the best, the median, the worst, then others', () => {
  const chosen = chooseFrames(someEvaluation('r').perFrame, 'refinement');
  assert.deepEqual(
    chosen.map(({ title }) => title),
    [
      'A · talk · 0001 (least error, 1.00 mm)',
      'A · talk · 0002 (median error, 2.00 mm)',
      'B · talk · 0004 (largest error, 4.00 mm)',
      'B · talk · 0003 (3.00 mm)',
    ],
  );
});

test('a face is turned to the reader, wherever it looks', () => {
  for (const direction of [
    [0, 0, 2],
    [3, 0, 0],
    [-1, 0.5, -1],
    [0.2, -0.4, -3],
  ] as [number, number, number][]) {
    const [x, y, z, w] = frontOf(direction);
    const [a, b, c] = direction.map((value) => value / Math.hypot(...direction)) as [number, number, number];
    // The direction, turned by the quaternion: v + 2 w (q × v) + 2 q × (q × v).
    const [u, v, s] = [2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)];
    const turned = [a + w * u + y * s - z * v, b + w * v + z * u - x * s, c + w * s + x * v - y * u];
    for (const [i, value] of [0, 0, 1].entries())
      assert.ok(Math.abs(turned[i]! - value) < 1e-9, `${direction}: ${turned}`);
  }
});

test('the page carries heads to a hundredth of a millimetre, names no other host, and escapes what it is given', async () => {
  const { frames, faces } = await someFrames('r');
  const evaluation = someEvaluation('<b>run</b>');
  const page = reportPage({
    name: evaluation.run,
    evaluation,
    frames,
    faces,
    largestError: 5,
    history: await readHistory(store, 'r'),
    configuration: 'storage: <script>',
  });
  const data = unpacked(page, 'heads-data') as {
    unit: number;
    frames: { heads: { positions: string; errors: string | null }[] }[];
  };
  const [coarse, , registration] = data.frames[0]!.heads;
  const stored = (text: string): Int16Array => new Int16Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
  const apart = (stored(registration!.positions)[0]! - stored(coarse!.positions)[0]!) * data.unit;
  assert.ok(Math.abs(apart + 30) < 0.02, `${apart}`);
  assert.equal(Buffer.from(coarse!.errors!, 'base64')[0], 254, 'the last colour');
  assert.equal(registration!.errors, null);
  assert.doesNotMatch(page, /(src|href)="(?!data:)/);
  assert.doesNotMatch(page, /<b>run|<script>\n*storage/);
  assert.match(page, /1 frame not in these figures; the first: its scan &#38; images are missing/);
});
