import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Notice } from '../../activities/notices/notice.js';
import { noticeHook, sendNotice } from '../../activities/notices/noticeHook.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();
const received: unknown[] = [];
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    received.push(JSON.parse(Buffer.concat(parts).toString()));
    answer(request, response);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-token`;
after(async () => {
  server.close();
  server.closeAllConnections();
});

const notice: Notice = {
  kind: 'failed',
  run: 'famos-1',
  step: 'refinement',
  text: 'famos-1 failed in refinement: the loss is not finite',
  at: '2026-11-29T22:24:00.000Z',
};

test('a webhook gets the notice as JSON, with the field that chat programs show', async () => {
  received.length = 0;
  const hook = await noticeHook({ TEMPEH_NOTICE_URL: address });
  assert.deepEqual(await sendNotice(hook, notice), []);
  assert.deepEqual(received, [notice]);
});

test('an address can be kept in a file; kinds that nobody asked for are not sent', async () => {
  received.length = 0;
  const file = join(folder, 'address');
  await writeFile(file, `${address}\n`);
  const hook = await noticeHook({ TEMPEH_NOTICE_URL_FILE: file, TEMPEH_NOTICE_KINDS: 'failed, paused' });
  await sendNotice(hook, { ...notice, kind: 'milestone' });
  await sendNotice(hook, notice);
  assert.equal(received.length, 1);
  assert.deepEqual(await sendNotice(await noticeHook({}), notice), []);
});

test('an error is reported without the address, and a redirect is not followed', async () => {
  answer = (_, response) => response.writeHead(302, { location: `${address}/elsewhere` }).end();
  received.length = 0;
  const hook = await noticeHook({ TEMPEH_NOTICE_URL: address });
  const [problem] = await sendNotice(hook, notice);
  assert.match(problem!, /^TEMPEH_NOTICE_URL \(127\.0\.0\.1:\d+\) cannot be notified: /);
  assert.doesNotMatch(problem!, /secret-token/);
  assert.equal(received.length, 1);
  answer = (_, response) => response.writeHead(500).end();
  assert.match((await sendNotice(hook, notice))[0]!, /answers 500/);
});

test('a program gets the notice on standard input, and no variable that it does not need', async () => {
  const program = join(folder, 'hook.sh');
  await writeFile(program, `#!/bin/sh\ncat > "${folder}/told"\nenv > "${folder}/environment"\n`);
  await chmod(program, 0o755);
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  try {
    const hook = await noticeHook({ TEMPEH_NOTICE_COMMAND: program });
    assert.deepEqual(await sendNotice(hook, notice), []);
  } finally {
    delete process.env['AWS_SECRET_ACCESS_KEY'];
  }
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'told'), 'utf8')), notice);
  assert.doesNotMatch(await readFile(join(folder, 'environment'), 'utf8'), /AWS_|TEMPEH_/);
});

test('a program that fails, or has been removed, is reported', async () => {
  const told = async (command: string) => (await sendNotice({ ...(await noticeHook({})), command }, notice))[0];
  assert.match((await told('/bin/false'))!, /TEMPEH_NOTICE_COMMAND \(\/bin\/false\) ended with exit code 1/);
  assert.match((await told('/nonexistent'))!, /cannot be run: .*ENOENT/);
});

test('a mistake in the variables stops the worker before it takes work', async () => {
  await assert.rejects(
    noticeHook({ TEMPEH_NOTICE_KINDS: 'failed,' }),
    /^ConfigurationError: TEMPEH_NOTICE_KINDS: found ""; expected some of milestone, paused/,
  );
  await assert.rejects(
    noticeHook({ TEMPEH_NOTICE_KINDS: 'failed,ended' }),
    /^ConfigurationError: TEMPEH_NOTICE_KINDS: found ended; expected some of milestone, paused/,
  );
  for (const text of ['hooks.example/x', 'file:///etc/passwd']) {
    await assert.rejects(noticeHook({ TEMPEH_NOTICE_URL: text }), /expected an address that begins with https/);
  }
  for (const command of [folder, join(folder, 'nowhere'), 'no-such-program', `${process.execPath} --version`]) {
    await assert.rejects(
      noticeHook({ TEMPEH_NOTICE_COMMAND: command, PATH: folder }),
      /^ConfigurationError: TEMPEH_NOTICE_COMMAND: found .*; expected a program that can be run, without arguments$/,
    );
  }
  await assert.rejects(
    noticeHook({ TEMPEH_NOTICE_URL_FILE: '/dev/null' }),
    /found \/dev\/null, which is empty; expected/,
  );
});
