import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeatedKey } from '../../text/repeatedKey.js';

test('a key that comes twice in one object is found, with its line; those of other objects are others', () => {
  const cases: [string, ReturnType<typeof repeatedKey>][] = [
    ['{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}, "a", "a"]}', null],
    ['{"a": 1,\n "b": [1, {"x": "}"}],\n "a": 2}', { key: 'a', line: 3 }],
    ['{"cameras": [{"K": [], "k": 1, "K": []}]}', { key: 'K', line: 1 }],
    ['{"a\\"": 1, "a": "a", "\\u0061": 2}', { key: 'a', line: 1 }],
    ['{"a": "x\\\\", "b": "a", "__proto__": 1, "__proto__": 2}', { key: '__proto__', line: 1 }],
    ['["a", "a"]', null],
    ['{"a": {}, "b": {}, "a": {}}', { key: 'a', line: 1 }],
  ];
  for (const [json, expected] of cases) assert.deepEqual(repeatedKey(json), expected, json);
});

test('long texts take no longer than reading them', () => {
  const list = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => ({ name: `camera ${i}`, data: [i, i, i] })));
  const begun = process.cpuUsage().user;
  assert.equal(repeatedKey(list), null);
  assert.equal(repeatedKey(`{"a": "${'\\\\'.repeat(1_000_000)}"}`), null);
  assert.ok(process.cpuUsage().user - begun < 2e6);
});
