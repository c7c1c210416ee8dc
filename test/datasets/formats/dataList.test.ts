import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDataList, parseDataList } from '../../../datasets/formats/dataList.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { goldenPath } from '../../support/golden/golden.js';

test('a published list reads in its order and writes as the same frames', () => {
  const frames = parseDataList(readFileSync(goldenPath('data/list.json'), 'utf8'), 'list.json');
  assert.deepEqual(frames, [
    { subject: 'subject_000', sequence: 'seq_a', frame: '000001' },
    { subject: 'subject_001', sequence: 'seq_a', frame: '000002' },
  ]);
  assert.deepEqual(parseDataList(`\ufeff${formatDataList(frames)}\r\n`, 'x'), frames);
});

test('entries that are no frames, or would leave the folder, are named', () => {
  const bad: [string, RegExp][] = [
    ['', /expected JSON/],
    ['<html>', /expected JSON/],
    ['{}', /JSON array/],
    ['[["a","b"]]', /entry 1.*three strings/],
    ['[["a","b","1"],["a","b",1]]', /entry 2.*keep their zeros/],
    ['[["a","..","1"]]', /entry 1.*".."/],
    ['[["a/b","c","1"]]', /entry 1.*"a\/b"/],
    ['[["a","","1"]]', /entry 1/],
    ['[["a","b\\u0000","1"]]', /entry 1/],
    ['[["a","b","1"],["a","b","1"]]', /entry 2: expected each frame once, found a\/b\/1 again/],
  ];
  for (const [text, message] of bad) {
    assert.throws(
      () => parseDataList(text, 'x'),
      (error: unknown) => error instanceof FormatError && message.test(error.message),
      text,
    );
  }
});

test('no JSON makes anything but a FormatError', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        parseDataList(text, 'x');
      } catch (error) {
        assert.ok(error instanceof FormatError);
      }
    }),
  );
});
