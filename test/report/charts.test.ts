import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cumulativeChart } from '../../report/sections/cumulativeChart.js';
import { timeline } from '../../report/sections/timeline.js';

test('nine methods are nine lines that can be told apart, each as in the legend', () => {
  const methods = Array.from({ length: 9 }, (_, i) => ({ method: `m${i}`, pointToSurfaceQuantiles: [0.1, 1, 10] }));
  const chart = cumulativeChart({ methods } as unknown as Parameters<typeof cumulativeChart>[0]);
  const lines = [...chart.matchAll(/<polyline [^>]*? (stroke="[^>]*)\/>/g)].map((match) => match[1]);
  const names = [...chart.matchAll(/<i style="([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual([lines.length, new Set(lines).size], [9, 9]);
  assert.deepEqual([names.length, new Set(names).size], [9, 9]);
});

test('attempts: what trained by the event log, which worker and why it ended by the logs', () => {
  const trained = (stage: 'coarse' | 'refinement', attempt: string, from: number, steps: [number, number]) => {
    const [fromStep, toStep] = steps;
    return { stage, attempt, fromStep, toStep, from, to: from + 60 };
  };
  const logged = (step: string, number: number, from: number, end: string | null) => {
    return { step, number, from, worker: `host:${number}`, end };
  };
  const attempts = [
    trained('coarse', 'of an earlier version', 10, [0, 9]),
    trained('coarse', '2xbb', 105, [10, 19]),
    trained('coarse', 'the same attempt, another trainer', 170, [20, 29]),
    trained('coarse', '1xdd', 405, [30, 39]),
    trained('refinement', '1xcc', 505, [0, 9]),
  ];
  const log = [
    logged('coarse-pretraining', 1, 100, 'the trainer was ended by SIGKILL <9>'),
    logged('coarse-pretraining', 2, 300, 'no device'),
    logged('coarse-finetuning', 1, 400, 'finished'),
    logged('coarse-pretraining', 3, 450, 'finished'),
    logged('predictions', 1, 460, 'finished'),
    logged('predictions', 2, 470, 'stopped as asked, and saved'),
    logged('refinement', 1, 500, null),
  ];
  const page = timeline({ attempts, models: [], problems: [], curves: [] }, { logged: log });
  const rows = [...page.matchAll(/<tr><th>([\w-]+)<td.*/g)].map(([row]) =>
    row
      .replace(/<\/tbody>.*/, '')
      .split(/<t[hd][^>]*>/)
      .slice(1),
  );
  assert.deepEqual(
    rows.map((cells) => cells.filter((_, i) => i !== 4)),
    [
      ['coarse', '1', '0', '9', '1 min 00 s', '–', '–'],
      ['coarse-pretraining', '1', '10', '29', '2 min 00 s', 'host:1', 'the trainer was ended by SIGKILL &#60;9&#62;'],
      ['coarse-pretraining', '2', '–', '–', '–', 'host:2', 'no device'],
      ['coarse-finetuning', '1', '30', '39', '1 min 00 s', 'host:1', 'finished'],
      ['predictions', '2', '–', '–', '–', 'host:2', 'stopped as asked, and saved'],
      ['refinement', '1', '0', '9', '1 min 00 s', 'host:1', '–'],
    ],
  );
  assert.match(page, /by 5 attempts/);
  const nothing = timeline({ attempts: [], models: [], problems: [], curves: [] }, { logged: log.slice(1, 2) });
  assert.match(nothing, /coarse-pretraining.*no device/, 'the report of a run that came to nothing says why');
  assert.equal(timeline({ attempts: [], models: [], problems: [], curves: [] }), '');
});
