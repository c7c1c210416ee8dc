import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasControls, printable, printableLines } from '../../text/printable.js';

test('what would steer a terminal, or turn the direction of writing, is shown and not obeyed', () => {
  const hostile = 'a\u001b[31mb\u0007c\u009b2Jd\u202egnp.exe\u2066e\u007f';
  assert.equal(printable(hostile), 'a\\u001b[31mb\\u0007c\\u009b2Jd\\u202egnp.exe\\u2066e\\u007f');
  assert.equal(printable('half \ud800 a pair, \u{e0041} a tag'), 'half \\ud800 a pair, \\udb40\\udc41 a tag');
  assert.equal(printable('two\r\nlines\tand\u2028more'), 'two lines and\\u2028more');
  assert.equal(printableLines('two\r\nlines\u001b[2J'), 'two\nlines\\u001b[2J');
  assert.ok(hasControls(hostile));
});

test('names of people and places stay as they are, and long texts are cut', () => {
  const name = 'Zoë Ångström 東京 😀 – “x” é';
  assert.equal(printable(name), name);
  assert.ok(!hasControls(name));
  assert.equal(printable('x'.repeat(500), 10), `${'x'.repeat(9)}…`);
});

test('JSON stays JSON', () => {
  const value = { message: 'a\u001bb\u009bc\u202ed' };
  const line = printable(JSON.stringify(value));
  assert.deepEqual(JSON.parse(line), value);
  assert.ok(!hasControls(line));
});
