import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { evaluationTable } from '../../cli/runs/watching/evaluationTable.js';
import { LiveDisplay } from '../../cli/terminal/liveDisplay.js';
import { bytes, columns, wrapped } from '../../cli/terminal/terminal.js';
import { duration, expectation } from '../../text/duration.js';
import type { ErrorSummary } from '../../evaluation/types.js';

test('a narrow terminal loses what matters least, and no field is cut in two', () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  const terminal = { isTTY: true, columns: 60, write } as unknown as NodeJS.WriteStream;
  new LiveDisplay(terminal).show(['  ▸  coarse-pretraining  1 h 12 min  44 %  step 1292 of 2900  9 min 30 s left']);
  const shown = stripVTControlCharacters(written.join('')).split('\n')[0];
  assert.equal(shown, '  ▸  coarse-pretraining  1 h 12 min  44 % …');
  // The last field ends where there is just room for it.
  const fits = { ...terminal, columns: 80 } as unknown as NodeJS.WriteStream;
  written.length = 0;
  new LiveDisplay(fits).show([
    '  ▸  coarse-pretraining  7 min 44 s  55 %  step 1608 of 2900  5 min 12 s left  loss 21.7',
  ]);
  assert.match(stripVTControlCharacters(written.join('')), /5 min 12 s left …$/m);
});

test('what is cut off where there are no fields is a whole word, and never the unit of a number', () => {
  const shown = (line: string, columns: number): string | undefined => {
    const written: string[] = [];
    const terminal = { isTTY: true, columns, write: (text: string) => written.push(text) > 0 };
    new LiveDisplay(terminal as unknown as NodeJS.WriteStream).show([line]);
    return stripVTControlCharacters(written.join('')).split('\n')[0];
  };
  const line = '    whole run about 12 min 05 s left, and then some';
  assert.equal(shown(line, 35), '    whole run about 12 min 05 s …');
  assert.equal(shown(line, 33), '    whole run about 12 min …');
  assert.equal(shown(`  /data/${'x'.repeat(90)}`, 20), '  /data/xxxxxxxxxx…');
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

test('no line ends between a number and its unit', () => {
  const figures = [
    '0.4 s',
    '(40 s)',
    '3 min',
    '5 h',
    '12 d',
    '950 B',
    '12.3 MB,',
    '2 GiB',
    '0.52 mm.',
    '99 %',
    '2.5 steps/s',
  ];
  for (const figure of figures) {
    const whole = `waiting since ${figure} or so`;
    // A break after the number is what each of these widths would come to.
    for (let width = 15; width < whole.length; width++) {
      const lines = wrapped(whole, width).split('\n');
      assert.ok(
        lines.some((line) => line.includes(figure)),
        `${width} columns: ${JSON.stringify(lines)}`,
      );
    }
  }
  // What only begins like a unit is a word.
  assert.equal(wrapped('after 3 steps', 9), 'after 3\nsteps');
});

test('human-readable numbers', () => {
  assert.deepEqual([4.4, 60, 3599, 7260, 300_000].map(duration), [
    '4 s',
    '1 min 00 s',
    '59 min 59 s',
    '2 h 01 min',
    '3 d 11 h',
  ]);
  assert.deepEqual([75, 1000, 7260].map(expectation), ['1 min 15 s', '17 min', '2 h 01 min']);
  assert.deepEqual([0, 999, 1000, 53_000_000, 999_600].map(bytes), ['0 B', '999 B', '1.00 kB', '53.0 MB', '1.00 MB']);
  assert.equal(
    columns(
      [
        ['a', '1'],
        ['bbb', '22'],
      ],
      [1],
    ),
    'a     1\nbbb  22',
  );
});
