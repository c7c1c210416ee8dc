import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activityNames } from '../../cli/runs/watching/activityNames.js';
import { troubles } from '../../cli/runs/watching/troubles.js';
import type { RunDescription } from '../../client/runs/describeRun.js';
import { secondAttempt } from './support/secondAttempt.js';

type Activity = RunDescription['activities'][number];

const record = { attempt: 1, worker: 'a:1', beganAt: '', seconds: 1, fromStep: 0, toStep: 9, end: 'stopped' };
const activity: Activity = { ...secondAttempt, workflowId: 'run/refinement' };

/** What a run's only line of trouble says. @param attempts of its step. */
function lineOf(change: Partial<Activity>, attempts: readonly (typeof record)[] = []): string {
  const interruptions = { preemptions: 0, failures: 1, attempts };
  const step = { step: 'refinement', state: 'running', startedAt: null, seconds: null, note: null, interruptions };
  const progress = { run: 'run', steps: [step], training: null, predictions: null, paused: false };
  const lines = troubles({ progress, activities: [{ ...activity, ...change }] } as unknown as RunDescription, 5000);
  assert.equal(lines.length, 1);
  return lines[0]!;
}

test('what reports how far it is has a word for what it does, and not the name that it is registered by', () => {
  const dataset = ['fetchBundle', 'extractBundle', 'packDataset', 'packFiles'];
  for (const type of [...dataset, 'branchMember', 'planEvaluation', 'evaluateShard', 'evaluate']) {
    assert.match(activityNames[type] ?? '', /^[a-z ]+ing( together)?$/, type);
  }
});

test('what failed has the mark of faults; what was stopped in an orderly way has not', () => {
  assert.match(lineOf({}), /^ {2}! refinement, attempt 1: the trainer was ended by SIGKILL \(attempt 2 runs\)$/);
  const orderly = { lastFailure: 'The trainer saved and stopped.', lastFailureIsFault: false };
  assert.match(lineOf(orderly), /^ {2}· refinement, attempt 1: The trainer saved and stopped\. \(attempt 2 runs\)$/);
  assert.match(lineOf({ ...orderly, state: 'waiting', paused: true }), /^ {2}! .*paused in Temporal/);
});

test('Temporal counts attempts anew after a pause: their numbers are those of the list', () => {
  const own = [record, { ...record, attempt: 2, end: null }];
  const interruptions = { preemptions: 0, failures: 1, attempts: own };
  const all = [record, record, ...own] as (typeof record)[];
  assert.match(lineOf({ interruptions }, all), /, attempt 3: the trainer was .* \(attempt 4 runs\)$/);
  // The one that runs has not said anything yet.
  const silent = { ...interruptions, attempts: own.slice(0, 1) };
  assert.match(lineOf({ interruptions: silent }, all.slice(0, 3)), /, attempt 3: .* \(attempt 4 runs\)$/);
});
