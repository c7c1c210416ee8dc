import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { open as openFile, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { lastRunOf } from '../../cli/quickstart/lastRun.js';
import { descendants } from '../../cli/quickstart/processTree.js';
import { summary } from '../../cli/quickstart/summary.js';
import { readScalars } from '../../checkpoints/events/readSegment.js';
import { syncEvents } from '../../cli/tensorboard/syncEvents.js';
import { readJson, writeJson } from '../../cli/machine/workspace.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();

describe('event files on the local disk', () => {
  const store = directoryStore(join(folder, 'store'));
  const local = join(folder, 'events');
  const put = (key: string, text: string) => store.put(key, Buffer.from(text));
  const segment = (from: number, attempt: string) => keys.eventSegment('run', 'coarse', from, attempt);
  const manifest = (lease: string, sealed: string[]) => {
    const events = sealed.map((key) => ({ key, from: 0, to: 100 }));
    return put(keys.manifest('run', 'coarse'), JSON.stringify(manifestWith('run', 'coarse', { lease, events })));
  };
  const contents = async (files: readonly string[]) =>
    (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join(' ');

  test('a run without events yet has none', async () => {
    assert.deepEqual(await syncEvents(store, 'run', local), []);
  });

  test('sealed segments and the open one of the attempt that trains now; not what was given up', async () => {
    await put(segment(0, 'a'), 'sealed');
    await put(segment(100, 'a'), 'open');
    await manifest('a', [segment(0, 'a')]);
    assert.equal(await contents(await syncEvents(store, 'run', local)), 'sealed open');
    // As TensorBoard's data server, which keeps what it has opened.
    const open = await openFile(join(local, 'coarse', basename(segment(100, 'a'))));
    await put(segment(100, 'a'), 'open and longer');
    assert.equal(await contents(await syncEvents(store, 'run', local)), 'sealed open and longer');
    const page = await open.readFile('utf8');
    await open.close();
    assert.equal(page, 'open and longer', 'an open page grows');
    await put(segment(100, 'b'), 'again');
    await manifest('b', [segment(0, 'a')]);
    const files = await syncEvents(store, 'run', local);
    assert.equal(await contents(files), 'sealed again');
    await assert.rejects(readFile(join(local, 'coarse', segment(100, 'a').split('/').at(-1)!)), /ENOENT/);
  });
});

test('the evaluation’s table is a text for TensorBoard, its figures are scalars; another evaluation replaces them', async () => {
  const store = directoryStore(join(folder, 'evaluated'));
  const local = join(folder, 'evaluated-events');
  const summaryOf = (mean: number) => ({ count: 10, median: 1, mean, standardDeviation: 1, percentile90: 3 });
  const evaluated = (mean: number) =>
    store.put(
      keys.evaluation('run'),
      Buffer.from(
        JSON.stringify({
          version: 1,
          run: 'run',
          frames: 3,
          subjects: ['S'],
          methods: [
            { method: 'refinement', pointToSurface: summaryOf(mean), pointToSurfaceQuantiles: [], vertices: null },
          ],
          perFrame: [],
          perSequence: [],
          leftOut: [],
        }),
      ),
    );
  await evaluated(1.25);
  const [first] = await syncEvents(store, 'run', local);
  const body = await readFile(first!);
  assert.match(body.toString(), /\| refinement \| 1\.00 \| 1\.25 \| 3\.00 \| – \|/);
  const scalars = [...readScalars(body, first!)].map(({ tag, value }) => [tag, value]);
  assert.deepEqual(scalars, [
    ['Test point to surface, median/refinement', 1],
    ['Test point to surface, mean/refinement', 1.25],
  ]);
  assert.deepEqual(await syncEvents(store, 'run', local), [first]);
  await evaluated(0.75);
  const files = await syncEvents(store, 'run', local);
  assert.deepEqual(
    await readdir(join(local, 'evaluation')),
    files.map((file) => basename(file)),
  );
  assert.match(await readFile(files[0]!, 'utf8'), /\| 0\.75 \|/);
});

describe('what a complete run leaves', () => {
  const figures = { count: 10, median: 1, mean: 2, standardDeviation: 1, percentile90: 3 };
  const row = (method: string, mean: number) => ({
    method,
    pointToSurface: { ...figures, mean },
    pointToSurfaceQuantiles: [],
    vertices: { ...figures, mean: 4 * mean },
    parts: { pose: 1, identity: 1, expression: 1, expressionExplained: 0.62 },
  });
  const result = {
    run: 'run',
    dataset: null,
    predictions: null,
    stages: [
      {
        stage: 'refinement',
        step: 20,
        loss: 0.5,
        checkpoint: { step: 20, key: 'runs/run/refinement/checkpoints/20', modelSha256: 'ab'.repeat(32) },
        seconds: 1,
      },
    ],
    evaluation: {
      version: 1,
      run: 'run',
      frames: 3,
      subjects: ['S'],
      methods: [row('coarse', 2), row('refinement', 1), row('mean head at the true pose', 20)],
    },
  } as unknown as FullTrainingResult;
  const step = { step: 'refinement', state: 'done', startedAt: null, seconds: 42, note: 'step 20' } as const;
  const rest = {
    run: 'run',
    configurationSha256: 'cd',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: 'http://ui', workflowUrl: 'http://ui/run' },
    objectStore: { endpoint: 'http://s3', region: 'r', bucket: 'b', credentialsFile: '/c' },
    events: '/events',
    report: '/report.html',
  };

  test('seconds are the step’s own, the weights are named by their hash', () => {
    const last = lastRunOf(result, [step], rest);
    assert.deepEqual(last.stages, [
      {
        stage: 'refinement',
        step: 20,
        loss: 0.5,
        seconds: 42,
        checkpoint: 'runs/run/refinement/checkpoints/20',
        modelSha256: 'ab'.repeat(32),
      },
    ]);
    assert.equal(lastRunOf({ ...result, evaluation: null }, [step], rest).evaluation, null);
  });

  test('the summary says what was learnt beyond the pose, and where to look', () => {
    const text = summary(lastRunOf(result, [step], rest), false);
    assert.match(text, /refined heads have 0\.05 times the vertex error .* mean head put at the true pose/);
    assert.match(text, /0\.05 times its distance to the scans/);
    assert.match(text, /62 % of the displacement of expressions is explained/);
    for (const place of ['http://ui/run', 'http://s3', '/events', '/report.html', '--fresh', '--keep']) {
      assert.ok(text.includes(place), place);
    }
  });

  test('80 columns: the summary is broken between words, and its places stand in one piece', () => {
    const folder = '/home/somebody/projects/tempeh-flow/.tempeh';
    const run = 'miniature-20261130-210734-5f3a';
    const workflowUrl = `http://127.0.0.1:8233/namespaces/default/workflows/${run}`;
    const long = { ...rest, run, events: `${folder}/events/${run}`, report: `${folder}/report.html` };
    const noted = {
      ...step,
      note: 'a note of a step that is as long as what packing a data set has to say in the end',
    };
    const last = lastRunOf(result, [noted], { ...long, temporal: { ...rest.temporal, workflowUrl } });
    for (const servicesRun of [false, true]) {
      const lines = summary(last, servicesRun, 80).split('\n');
      const tooLong = lines.filter((line) => line.length > 80 && line.trim().includes(' '));
      assert.deepEqual(tooLong, []);
      for (const place of [workflowUrl, long.events, long.report]) {
        assert.ok(
          lines.some((line) => line.trim() === place),
          place,
        );
      }
    }
    const wide = summary(last, false, 200);
    assert.match(wide, /Temporal UI {2}http:/);
    assert.match(wide, /true pose, and 0\.05 times its distance to the scans: below 1,/);
  });

  test('a file that was cut off counts as none', async () => {
    const file = join(folder, 'deep', 'last-run.json');
    assert.equal(readJson(file), null);
    writeJson(file, { run: 'run' });
    assert.deepEqual(readJson(file), { run: 'run' });
  });
});

test('all that a process started is found, grandchildren in sessions of their own too', async () => {
  const child = spawn('sh', ['-c', 'setsid sleep 60 & wait'], { stdio: 'ignore', detached: true });
  try {
    for (let waited = 0; descendants(child.pid ?? 0).length === 0 && waited < 50; waited++) await sleep(50);
    const found = descendants(process.pid);
    assert.ok(found.includes(child.pid ?? 0));
    const [grandchild] = descendants(child.pid ?? 0);
    assert.ok(grandchild !== undefined && found.includes(grandchild));
    process.kill(grandchild, 'SIGKILL');
  } finally {
    child.kill('SIGKILL');
  }
});
