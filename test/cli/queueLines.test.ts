import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueLines } from '../../cli/runs/watching/queueLines.js';
import type { RunDescription } from '../../client/runs/describeRun.js';
import type { QueueWorkers } from '../../client/runs/queueWorkers.js';

/** What is said of one queue. @param warnings of workers that take no tasks. */
function lineOf(change: Partial<QueueWorkers>, warnings: readonly string[] = []): string {
  const none: QueueWorkers = { queue: 'tempeh-gpu', asking: [], ofOtherBuilds: [], build: null, busy: [] };
  const progress = { run: 'run', steps: [], training: null, predictions: null, warnings, paused: false };
  const queue = { ...none, ...change };
  const lines = queueLines({ run: 'run', progress, queues: [queue, queue] } as unknown as RunDescription);
  assert.ok(lines.length <= 1, 'a queue is spoken of once');
  return lines[0] ?? '';
}

test('where nobody asks for a queue’s tasks it says what to start, with the prefix that such a worker must have', () => {
  assert.equal(lineOf({}), '  ! no worker asks for tasks of tempeh-gpu; to start one: tempeh-flow worker gpu');
  assert.match(lineOf({ queue: 'tempeh-predict' }), /: tempeh-flow worker gpu$/);
  assert.match(lineOf({ queue: 'tempeh-evaluate' }), /: tempeh-flow worker data$/);
  assert.match(lineOf({ queue: 'heads-tempeh-data' }), /: TEMPEH_QUEUE_PREFIX=heads- tempeh-flow worker data$/);
  assert.match(lineOf({ queue: 'tempeh-data/3f' }), /tempeh-data\/3f; it is the data worker whose disk has the data/);
  assert.match(
    lineOf({}, ['worker a:1 takes no tasks: …']),
    /tempeh-gpu \(why one takes none stands below\); to start/,
  );
});

test('workers that are there and busy are no trouble; who is free is waited for in silence', () => {
  const busy = { worker: 'gpu@a:1 NVIDIA H200 GPU-1f', at: 'famos-2/refinement' };
  assert.equal(lineOf({ busy: [busy] }), '  · every worker of tempeh-gpu is busy: a:1 at famos-2/refinement');
  const others = [2, 3].map((n) => ({ worker: `gpu@a:${n}`, at: `run/${n}` }));
  assert.match(lineOf({ busy: [busy, ...others] }), /: a:1 at famos-2\/refinement, a:2 at run\/2, …$/);
  assert.equal(lineOf({ busy: others }), '', 'all of them are this run’s own, whose lines say so');
  // It asked a moment ago, and got the task that it is at.
  assert.match(lineOf({ busy: [busy], asking: [busy.worker] }), /is busy/);
  assert.equal(lineOf({ busy: [busy], asking: ['gpu@b:7'] }), '');
});

test('workers of a build that gets no tasks are named, and what would give it them', () => {
  const line = lineOf({ ofOtherBuilds: ['gpu@a:1'] });
  assert.match(
    line,
    /! tasks of tempeh-gpu are for workers without a deployment, .*\(a:1\): tempeh-flow deployment promote$/,
  );
  assert.match(lineOf({ ofOtherBuilds: ['gpu@a:1'], build: '0.1.0-1f' }), /are for build 0\.1\.0-1f/);
});
