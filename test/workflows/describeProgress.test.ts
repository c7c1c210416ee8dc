import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsBetweenSignals } from '../../activities/runs/stageSignals.js';
import { describeProgress } from '../../workflows/progress/describeProgress.js';
import type { RunProgress } from '../../workflows/types.js';

const training = {
  stage: 'refinement',
  step: 67_500,
  totalSteps: 150_000,
  loss: 0.01234,
  stepsPerSecond: 1.9,
  checkpointStep: 67_000,
  checkpointAt: '2026-11-29T22:11:40.000Z',
  bytesRead: 0,
  bytesWritten: 0,
  skippedBatches: 0,
  validation: { step: 65_000, loss: 0.02, pointToSurface: 0.824 },
  worker: 'node-7:41',
  attempt: 3,
} as const;
const progress: RunProgress = {
  run: 'famos-1',
  steps: [
    { step: 'dataset', state: 'done', startedAt: null, seconds: 7300, note: 'a | b' },
    {
      step: 'refinement',
      state: 'running',
      startedAt: null,
      seconds: null,
      note: null,
      interruptions: { preemptions: 2, failures: 0 },
    },
  ],
  training,
  predictions: null,
  paused: false,
};
const page = { namespace: 'default', isStep: false, toldAt: Date.UTC(2026, 10, 29, 22, 24) };

test("a run's page says how far, how fast, how well, until when, on which worker, as of when, and where is more", () => {
  const text = describeProgress(progress, page);
  for (const part of [
    '| dataset | \u00a0done\u00a0 | \u00a02.0 h\u00a0 | a \\| b |',
    '| refinement | \u00a0running\u00a0 |  | 2 pre-emptions, 0 failures |',
    '**refinement: 45 %**, step 67,500 of 150,000 · 1.9 steps/s, 12.1 h left · loss 0.01234',
    'validation at step 65,000: loss 0.02000, 0.82 mm to the scans',
    'last checkpoint at step 67,000, 2026-11-29 22:11 UTC · on node-7:41, attempt 3',
    'As of 2026-11-29 22:24 UTC. What is newer: [the page of refinement](/namespaces/default/workflows/famos-1%2Frefinement)',
    '`tempeh-flow status famos-1 --follow`',
  ]) {
    assert.ok(text.includes(part), `${part}\n\nin\n\n${text}`);
  }
});

test('a run that failed says at its top what failed, on which worker, and what to type', () => {
  const [dataset, refinement] = progress.steps;
  const attempts = [
    {
      attempt: 1,
      worker: 'node-9:7',
      beganAt: '',
      seconds: 1,
      fromStep: 0,
      toStep: 4,
      end: 'Step 4 has a loss that is not finite.',
    },
  ];
  const interruptions = { preemptions: 0, failures: 0, attempts };
  const note = 'Step 4 has a loss that is not finite. Lower learningRate.';
  const steps = [dataset!, { ...refinement!, state: 'failed' as const, note, interruptions }];
  const [top] = describeProgress({ ...progress, steps }, page).split('\n');
  assert.equal(
    top,
    `**refinement failed on node-9:7: ${note}** Once that is mended: \`tempeh-flow resume famos-1\`. What it logged: \`tempeh-flow logs famos-1 refinement\`.`,
  );
});

test('a failure that no trainer had says on which worker and when, and once; workers that cannot work are named', () => {
  const note = 'The folder /data is not seen.';
  const failed = { at: '2026-11-29T22:24:30.000Z', worker: 'node-3:9' };
  const [dataset, refinement] = progress.steps;
  const steps = [
    { ...dataset!, state: 'failed' as const, note, failed },
    { ...refinement!, state: 'waiting' as const },
  ];
  const warnings = ['2026-11-29 22:20 UTC: worker node-4:7 takes no tasks: refused.'];
  const text = describeProgress({ ...progress, training: null, steps, warnings }, page);
  assert.ok(text.startsWith(`**dataset failed on node-3:9, 2026-11-29 22:24 UTC: ${note}** Once that is mended: `));
  assert.equal(text.split(note).length, 2, 'it stands there once');
  assert.ok(text.includes(`**Warnings**\n\n- ${warnings[0]}`));
  const before = describeProgress({ ...progress, failure: 'No such bucket.', failed }, page);
  assert.ok(before.startsWith('**Failed on node-3:9, 2026-11-29 22:24 UTC: No such bucket.** '));
});

test('a step that was interrupted says how often, and why the last time', () => {
  const [dataset, refinement] = progress.steps;
  const attempt = { worker: 'node-9:7', beganAt: '', seconds: 1, fromStep: 0, toStep: 4 };
  const attempts = [
    { ...attempt, attempt: 1, end: 'the trainer was ended by SIGKILL' },
    { ...attempt, attempt: 2, end: 'finished' },
  ];
  const interruptions = { preemptions: 2, failures: 1, attempts };
  const steps = [dataset!, { ...refinement!, state: 'done' as const, interruptions }];
  const text = describeProgress({ ...progress, steps }, page);
  assert.match(text, /2 pre-emptions, 1 failure, the last: the trainer was ended by SIGKILL/);
});

test('while a stage trains, its page says why its attempts before this one ended', () => {
  const interrupted = { preemptions: 0, failures: 1, last: 'the trainer was ended by SIGKILL' };
  const text = describeProgress({ ...progress, training: { ...training, interrupted } }, page);
  assert.match(
    text,
    / · 0 pre-emptions, 1 failure, the last: the trainer was ended by SIGKILL · on node-7:41, attempt 3/,
  );
});

test('what a stage warns of is on the page while it trains, each once', () => {
  const [dataset, refinement] = progress.steps;
  const interruptions = { preemptions: 0, failures: 0, warnings: ['earlier', 'both'] };
  const warned = { ...training, warnings: ['both', 'The checkpoint of step 9 is damaged.'] };
  const steps = [dataset!, { ...refinement!, interruptions }];
  const text = describeProgress({ ...progress, steps, training: warned }, page);
  const listed = '- refinement: earlier\n- refinement: both\n- refinement: The checkpoint of step 9 is damaged.';
  assert.ok(text.includes(`**Warnings**\n\n${listed}\n\n`), text);
});

test('a run that failed before its first step says at its top why, and what to type', () => {
  const failure = 's3://nope/ cannot hold checkpoints. The bucket does not exist.';
  const steps = progress.steps.map(({ step }) => ({
    step,
    state: 'waiting' as const,
    startedAt: null,
    seconds: null,
    note: null,
  }));
  const [top] = describeProgress({ ...progress, steps, failure }, page).split('\n');
  assert.equal(top, `**Failed: ${failure}** Once that is mended: \`tempeh-flow resume famos-1\`.`);
});

test('a paused run names the command that goes on, with its name, and no rate of before', () => {
  const [dataset, refinement] = progress.steps;
  const steps = [dataset!, { ...refinement!, state: 'paused' as const }];
  const text = describeProgress({ ...progress, steps, paused: true }, page);
  assert.match(text, /\*\*Paused\.\*\* To go on: `tempeh-flow unpause famos-1`/);
  assert.doesNotMatch(text, /steps\/s|left/);
});

test('progress of workers of earlier versions, without what came later, is shown as well', () => {
  const { validation: _, worker: __, attempt: ___, checkpointAt: ____, ...earlier } = training;
  assert.match(describeProgress({ ...progress, training: earlier }, page), /last checkpoint at step 67,000\n/);
});

test('a stage of three weeks tells its workflow often at first, and stays far below what a history may hold', () => {
  let words = 0;
  for (let age = 0; age < 21 * 86_400; age += secondsBetweenSignals(age)) words++;
  // Some seven events each in the stage's history (docs/operating.md).
  assert.ok(7 * words < 10_000, `${words} words`);
  assert.equal(secondsBetweenSignals(60), 10);
});
