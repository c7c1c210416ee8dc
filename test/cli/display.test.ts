import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { LiveDisplay } from '../../cli/terminal/liveDisplay.js';
import { attemptLines } from '../../cli/runs/watching/attemptLines.js';
import { secondsLeft } from '../../cli/runs/watching/outlook.js';
import { loadConfiguration } from '../../configs/load.js';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import { print, printJson } from '../../cli/terminal/print.js';
import { columns } from '../../cli/terminal/terminal.js';
import type { RunDescription } from '../../client/runs/describeRun.js';
import type { StepState } from '../../workflows/types.js';
import { secondAttempt } from './support/secondAttempt.js';

function stream(isTTY: boolean, width = 60): { written: string[]; stream: NodeJS.WriteStream } {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, stream: { isTTY, columns: width, write } as unknown as NodeJS.WriteStream };
}

/** What a terminal shows after what was written to it: of its language, what moves the cursor up or down or erases. */
function screen(written: readonly string[]): string[] {
  const rows = [''];
  let [row, column] = [0, 0];
  // oxlint-disable-next-line no-control-regex
  for (const [part, count, code] of written.join('').matchAll(/\u001b\[[?]?(\d*)(?:;\d+)*([A-Za-z])|[^\u001b]/gu)) {
    const times = Number(count || 1);
    if (code === 'A') row = Math.max(0, row - times);
    else if (code === 'B') row += times;
    else if (code === 'G') column = 0;
    else if (code === 'K') rows[row] = count === '2' ? '' : rows[row]!.slice(0, column);
    else if (code === 'J') rows.splice(row, rows.length, rows[row]!.slice(0, column));
    else if (part === '\n') [row, column] = [row + 1, 0];
    else if (part === '\r') column = 0;
    else if (code === undefined) rows[row] = rows[row]!.slice(0, column).padEnd(column++) + part;
    while (rows.length <= row) rows.push('');
  }
  return rows;
}

describe('lines that change', () => {
  test('a file gets a line when something new begins, not one for every number', () => {
    const { written, stream: file } = stream(false);
    const display = new LiveDisplay(file);
    const subject = (line: string) => line.split(' ')[0]!;
    for (let step = 0; step < 50; step++) display.show([`train step ${step}`], subject);
    display.show(['train step 50', 'evaluate begins'], subject);
    const dated = (text: string) => new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  ${text}\\n$`);
    assert.equal(written.length, 2);
    assert.match(written[0]!, dated('train step 0'));
    assert.match(written[1]!, dated('evaluate begins'));
  });

  test('a terminal gets them in place, none wider than it is', () => {
    const { written, stream: terminal } = stream(true, 30);
    const display = new LiveDisplay(terminal);
    display.show(['one', `\u001b[32m${'x'.repeat(80)}\u001b[0m`]);
    display.show(['one', 'two']);
    for (const line of (written[0] ?? '').split('\n')) assert.ok(stripVTControlCharacters(line).trim().length < 30);
    assert.deepEqual(screen(written), ['one', 'two', '']);
    display.print('stays');
    display.show(['three']);
    display.finish();
    display.show(['below']);
    assert.deepEqual(screen(written), ['stays', 'three', 'below', '']);
    for (const lines of ['abcdewfl', 'axydl', 'azydw']) display.show(lines.split(''));
    assert.equal(screen(written).join(''), 'staysthreeazydw', 'of lines that went nothing stays');
  });

  test('wide characters take two columns', () => {
    assert.equal(
      columns([
        ['頭', 'x'],
        ['ab', 'y'],
      ]),
      '頭  x\nab  y',
    );
    const { written, stream: terminal } = stream(true, 30);
    new LiveDisplay(terminal).show(['頭'.repeat(20)]);
    assert.equal(screen(written)[0], `${'頭'.repeat(14)}…`);
  });
});

describe('a run as lines', () => {
  const state = (step: StepState['step'], name: StepState['state'], rest: Partial<StepState> = {}): StepState => {
    return { step, state: name, startedAt: null, seconds: null, note: null, ...rest };
  };
  const description: RunDescription = {
    run: 'run',
    workflowId: 'run',
    status: 'RUNNING',
    startedAt: new Date(0),
    closedAt: null,
    failure: null,
    queues: [],
    progress: {
      run: 'run',
      steps: [
        state('dataset', 'done', { seconds: 75, note: '96 frames' }),
        state('coarse-pretraining', 'running', {
          startedAt: new Date(0).toISOString(),
          interruptions: { preemptions: 1, failures: 2 },
        }),
        state('refinement', 'waiting'),
      ],
      training: {
        stage: 'coarse-pretraining',
        step: 30,
        totalSteps: 120,
        loss: 12.3456,
        stepsPerSecond: 2.5,
        checkpointStep: 20,
        checkpointAt: new Date(1000).toISOString(),
        bytesRead: 0,
        bytesWritten: 0,
        skippedBatches: 0,
      },
      predictions: null,
      paused: false,
    },
    activities: [secondAttempt],
  };

  test('what is done, what runs with its numbers, what failed lately', () => {
    const [done, running, waiting, trouble] = progressLines(description, 5000);
    assert.match(done ?? '', /dataset +1 min 15 s +96 frames/);
    assert.match(
      running ?? '',
      /coarse-pretraining +5 s .* 25 % +step 30 of 120 +36 s left +2\.5 steps\/s +loss 12\.3 +checkpoint 20, 4 s ago/,
    );
    assert.match(waiting ?? '', /refinement/);
    assert.match(running ?? '', /; 1 pre-emption, 2 failures$/);
    assert.match(trouble ?? '', /attempt 1: the trainer was ended by SIGKILL \(attempt 2 runs\)$/);
  });

  test('a stage that is paused says where it stands, and no rate of before', () => {
    const progress = description.progress!;
    const steps = progress.steps.map((step) =>
      step.state === 'running' ? { ...step, state: 'paused' as const } : step,
    );
    const paused = { ...description, activities: [], progress: { ...progress, steps, paused: true } };
    const line = progressLines(paused, 5000)[1] ?? '';
    assert.match(line, /coarse-pretraining .* 25 % +step 30 of 120 +loss 12\.3 +checkpoint 20/);
    assert.doesNotMatch(line, /left|steps\/s/);
  });

  test('a rate is shown while reports come; then how long ago the last one was', () => {
    const [activity] = description.activities;
    const at = (heartbeatAt: Date) =>
      progressLines({ ...description, activities: [{ ...activity!, heartbeatAt }] }, 60_000)[1] ?? '';
    assert.match(at(new Date(55_000)), /36 s left +2\.5 steps\/s/);
    assert.match(at(new Date(24_000)), /step 30 of 120 +last heard of 36 s ago +loss/);
    assert.doesNotMatch(at(new Date(24_000)), /left|steps\/s/);
  });

  test('a stage that waits for its next attempt has no rate, nor what its attempt before said last', () => {
    const [activity] = description.activities;
    const lines = (change: Partial<RunDescription['activities'][number]>) =>
      progressLines({ ...description, activities: [{ ...activity!, state: 'waiting', ...change }] }, 5000)[1] ?? '';
    assert.match(lines({}), /step 30 of 120 +waits for a worker +loss/);
    assert.match(lines({ nextAttemptAt: new Date(12_000) }), /step 30 of 120 +next attempt in 7 s +loss/);
    assert.doesNotMatch(lines({}), /left|steps\/s/);
    const progress = { ...description.progress!, training: null };
    const heartbeat = { kind: 'training', progress: null, message: 'Loading the models', preemptions: 0 } as const;
    const begun = (state: 'waiting' | 'running') =>
      progressLines({ ...description, progress, activities: [{ ...activity!, state, heartbeat }] }, 5000)[1] ?? '';
    assert.deepEqual(
      [begun('running'), begun('waiting')].map((line) => line.includes('Loading')),
      [true, false],
    );
  });

  test('when what failed is tried again, or what it waits for', () => {
    const lastLine = (change: Partial<RunDescription['activities'][number]>) => {
      const [activity] = description.activities;
      return progressLines({ ...description, activities: [{ ...activity!, ...change }] }, 5000).at(-1) ?? '';
    };
    assert.match(lastLine({ state: 'waiting', nextAttemptAt: new Date(12_000) }), /SIGKILL \(next attempt in 7 s\)$/);
    assert.match(lastLine({ state: 'waiting' }), /\(waits for a worker\)$/);
    assert.match(lastLine({ state: 'waiting', paused: true, lastFailure: null }), /attempt 2 \(paused in Temporal/);
  });

  test('what works but waits for its store says so, also after earlier failures', () => {
    const [activity] = description.activities;
    const { training } = description.progress!;
    const heartbeat = {
      kind: 'training',
      progress: training,
      message: null,
      preemptions: 0,
      waitsFor: 'Saving the checkpoint of step 30 has waited for 70 s: ECONNREFUSED',
    } as const;
    const lines = progressLines({ ...description, activities: [{ ...activity!, heartbeat }] }, 5000);
    assert.match(lines.at(-2)!, /coarse-pretraining, attempt 1: the trainer was ended by SIGKILL \(attempt 2 runs\)$/);
    assert.match(lines.at(-1)!, /! coarse-pretraining waits: Saving the checkpoint of step 30 .* 70 s: ECONNREFUSED$/);
  });

  test('what a trainer warned of stays to be seen while it trains: a checkpoint that was put aside', () => {
    const [activity] = description.activities;
    const { training } = description.progress!;
    const warning = 'The checkpoint of step 20 is damaged: state.json is missing. It is put aside.';
    const heartbeat = { kind: 'training', progress: training, message: warning, warning, preemptions: 0 } as const;
    const lines = progressLines({ ...description, activities: [{ ...activity!, heartbeat }] }, 5000);
    assert.match(lines.at(-1)!, /! coarse-pretraining: The checkpoint of step 20 is damaged: .* It is put aside\.$/);
  });

  test('its attempts, also those of workers that are gone: when, where, from step to step, why each ended', () => {
    const record = (attempt: number, rest: object) => ({
      attempt,
      worker: 'spot-7:81',
      beganAt: new Date(attempt * 3_600_000).toISOString(),
      seconds: 1800,
      fromStep: 0,
      toStep: 40,
      end: 'its worker was lost: no sign of life came any more',
      ...rest,
    });
    const attempts = [record(1, {}), record(2, { worker: 'spot-9:12', fromStep: 40, toStep: 55, end: null })];
    const steps = [state('refinement', 'running', { interruptions: { preemptions: 0, failures: 1, attempts } })];
    const [title, first, second] = attemptLines({ ...description, progress: { ...description.progress!, steps } });
    assert.equal(title, "Attempts (2; 1 h 00 min of workers' time)");
    assert.match(first ?? '', /refinement +1 .* 30 min 00 s +0 → 40 +spot-7:81 +its worker was lost: no sign of life/);
    assert.match(second ?? '', /refinement +2 .* 40 → 55 +spot-9:12 +runs$/);
  });

  test('when the whole run will be done: by its own rate, and what the stages cost beside each other', async () => {
    const configuration = await loadConfiguration('famos', ['storage.bucket=NAME']);
    const training = {
      ...description.progress!.training!,
      step: 100_000,
      totalSteps: 300_000,
      stepsPerSecond: 10,
    };
    const steps = [
      state('coarse-pretraining', 'running'),
      state('coarse-finetuning', 'waiting'),
      state('refinement', 'left out'),
    ];
    const running = { ...description, progress: { ...description.progress!, steps, training } };
    assert.equal(secondsLeft(running, { configuration, frames: null }), 20_000 + 50_000);
    const all = [...steps.slice(0, 2), state('refinement', 'waiting')];
    const longer = { ...running, progress: { ...running.progress, steps: all } };
    const lines = progressLines(longer, 5000, { configuration, frames: null });
    // 150,000 steps, each 61 to 3.4 times a coarse one's tenth of a second.
    assert.equal(
      Math.round(secondsLeft(longer, { configuration, frames: null })!),
      Math.round(70_000 + (15_000 * 61) / 3.4),
    );
    assert.ok(
      lines.some((line) => /whole run +about 3 d 22 h left/.test(line)),
      lines.join('\n'),
    );
  });

  test('what a step that is done warned of is still shown', () => {
    const warnings = ['The checkpoint of step 20 is damaged. It is put aside.'];
    const steps = [state('refinement', 'done', { interruptions: { preemptions: 0, failures: 0, warnings } })];
    const lines = progressLines({ ...description, progress: { ...description.progress!, steps }, activities: [] });
    assert.match(lines.at(-1) ?? '', /! refinement: The checkpoint of step 20 is damaged\. It is put aside\.$/);
  });

  test('a run as lines: without a worker that answers it says what is missing', () => {
    assert.match(progressLines({ ...description, progress: null })[0] ?? '', /waiting for a data worker/);
    const failed = { ...description, progress: null, status: 'FAILED', failure: 'no disk' } as const;
    assert.match(progressLines(failed)[0] ?? '', /failed: no disk/);
  });
});

test('what a command prints obeys nothing but colours, and its JSON stays JSON', (context) => {
  const written: string[] = [];
  context.mock.method(process.stdout, 'write', (text: string) => written.push(text) > 0);
  const hostile = 'a\u001b]0;title\u0007b\u009b2J\u202ec';
  print(`\u001b[32mfound\u001b[0m ${hostile}\nnext`);
  printJson({ hostile }, 0);
  context.mock.restoreAll();
  const shown = 'a\\u001b]0;title\\u0007b\\u009b2J\\u202ec';
  assert.equal(written[0], `\u001b[32mfound\u001b[0m ${shown}\nnext\n`);
  assert.equal(written[1], `{"hostile":"${shown}"}\n`);
  assert.deepEqual(JSON.parse(written[1]), { hostile });
});
