import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BoundedLog } from '../../activities/processes/boundedLog.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

function freshPath(): string {
  return join(temporaryFolder(), 'logs', 'trainer.log');
}

test('a process that prints for weeks fills no disk, and the newest lines survive', () => {
  const log = new BoundedLog(freshPath(), 1000);
  for (let i = 0; i < 500; i++) log.write(Buffer.from(`line ${i}\n`));
  assert.ok(statSync(log.path).size <= 1000);
  assert.ok(statSync(`${log.path}.1`).size <= 1000);
  const both = readFileSync(`${log.path}.1`, 'utf8') + readFileSync(log.path, 'utf8');
  assert.match(both, /line 498\nline 499\n$/);
  log.close();
});

test('a later attempt appends, and its limit counts what was there', () => {
  const path = freshPath();
  const first = new BoundedLog(path, 20);
  first.write(Buffer.from('of the first one\n'));
  first.close();
  const second = new BoundedLog(path, 20);
  second.write(Buffer.from('of the second\n'));
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'of the first one\n');
  assert.equal(readFileSync(path, 'utf8'), 'of the second\n');
  second.close();
});

test('of a process that was killed in full work, progress does not hide what the failure was', () => {
  const log = new BoundedLog(freshPath());
  const line = (level: string, message: string) =>
    `${JSON.stringify({ level, time: '2026-11-30T17:15:44.000Z', iteration: 211, message })}\n`;
  log.write(Buffer.from(`${line('info', 'progress')}terminate called: bad_alloc\n${line('warn', 'low memory')}`));
  log.write(Buffer.from('I0000 00:00:1796062613.433504   10077 port.cc:153] oneDNN custom operations are on.\n'));
  for (let i = 0; i < 12; i++) log.write(Buffer.from(line('info', 'progress')));
  const [library, warning, ...others] = log.lastLines(10, 'troubles');
  assert.equal(library, 'terminate called: bad_alloc');
  assert.match(warning ?? '', /WARN {3}low memory/);
  assert.deepEqual(others, []);
  log.close();
});

test('last lines: whole over chunks and characters, the unfinished one among them, none of them endless', () => {
  const log = new BoundedLog(freshPath());
  const text = Buffer.from('Köpfe\n\nsecond\nunfinished');
  log.write(text.subarray(0, 2));
  log.write(text.subarray(2));
  assert.deepEqual(log.lastLines(), ['Köpfe', 'second', 'unfinished']);
  assert.deepEqual(log.lastLines(2), ['second', 'unfinished']);
  log.write(Buffer.from(`\n${'x'.repeat(2000)}\n`));
  assert.equal(log.lastLines(1)[0]?.length, 501);
  log.note('of the supervisor');
  assert.equal(log.lastLines(1)[0]?.length, 501);
  log.close();
});
