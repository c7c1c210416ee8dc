import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readableLogLine } from '../../text/logLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

test('a trainer in which a promise is rejected that nobody waits for says so, saves, and reports a failure', async () => {
  const saved = join(temporaryFolder(), 'saved');
  const module = new URL('./support/faultyProcess.js', import.meta.url);
  const child = fork(module, { stdio: ['ignore', 'pipe', 'ignore', 'ipc'], serialization: 'advanced' });
  const events: unknown[] = [];
  let log = '';
  child.stdout!.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.on('message', (event) => events.push(event));
  child.send({ kind: 'start', saved });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(
    log
      .split('\n')
      .map((line) => readableLogLine(line))
      .join('\n'),
    /unexpected error[^]*nobody waits for this[^]*faultyProcess/,
  );
  assert.equal(await readFile(saved, 'utf8'), 'saved');
  assert.deepEqual(events, [
    { kind: 'starting' },
    {
      kind: 'failed',
      message: 'An unexpected error: nobody waits for this. It stopped in order.',
    },
  ]);
});
