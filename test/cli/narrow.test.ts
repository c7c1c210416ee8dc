import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { evaluationTable } from '../../cli/runs/watching/evaluationTable.js';
import { LiveDisplay } from '../../cli/terminal/liveDisplay.js';
import { wrapped } from '../../cli/terminal/terminal.js';
import type { ErrorSummary } from '../../evaluation/types.js';

test('a narrow terminal loses what matters least, and no field is cut in two', () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  const terminal = { isTTY: true, columns: 60, write } as unknown as NodeJS.WriteStream;
  new LiveDisplay(terminal).show(['  ▸  coarse-pretraining  1 h 12 min  44 %  step 1292 of 2900  9 min 30 s left']);
  const shown = stripVTControlCharacters(written.join('')).split('\n')[0];
  assert.equal(shown, '  ▸  coarse-pretraining  1 h 12 min  44 % …');
});

test('the table of errors fits 80 columns: medians and means stay, what is aligned and the 90 % go', () => {
  const figures: ErrorSummary = { count: 9, median: 1.34, mean: 1.72, standardDeviation: 1, percentile90: 3.72 };
  const method = "mean head at the localiser's place";
  const row = {
    method,
    pointToSurface: figures,
    vertices: figures,
    aligned: { pointToSurface: figures, vertices: figures },
  };
  const content = { frames: 36, subjects: ['a'], methods: [row], farPoints: null } as unknown as Parameters<
    typeof evaluationTable
  >[0];
  const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));
  const whole = evaluationTable(content, Infinity);
  assert.match(whole, /aligned/);
  assert.ok(widest(whole) > 80);
  const narrow = evaluationTable(content, 80);
  assert.ok(widest(narrow) <= 80, narrow);
  assert.match(narrow, /point to surface +vertices\n.*median +mean +median +mean\n.* 1\.34 +1\.72 +1\.34 +1\.72$/m);
});

test('text is broken between words, columns stay, and what is to be copied stays in one piece', () => {
  const path = `/data/${'x'.repeat(90)}`;
  assert.equal(
    wrapped(`  ! one two three four\n  ${path} five`, 14, 4),
    `  ! one two\n    three four\n  ${path}\n    five`,
  );
  assert.equal(wrapped('  step      done', 16), '  step      done');
  assert.equal(wrapped('any length', Infinity), 'any length');
});
