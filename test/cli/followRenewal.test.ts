import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { taskQueues } from '../../configs/queues.js';
import { main } from '../support/commandLine.js';
import { TemporalFront } from '../support/servers/temporalFront.js';
import { issued, TlsFiles } from '../support/servers/tlsFiles.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';

let temporal: TestTemporal;
before(async () => {
  temporal = await startTestTemporal();
});
after(() => temporal.stop());

test(
  'status --follow goes on over a change of the CA, whether the server or the files come first',
  { timeout: 180_000 },
  async () => {
    // Nobody works at it: it runs until we end it.
    const workflow = await temporal.client.workflow.start('fullTraining', {
      workflowId: 'watched',
      taskQueue: taskQueues().data,
    });
    const files = new TlsFiles(temporaryFolder());
    const [first, second, third] = [issued('first'), issued('second'), issued('third')];
    const demanding = { requestCert: true, rejectUnauthorized: true };
    const front = await TemporalFront.start(temporal.settings.address, { ...first.context, ...demanding });
    const follower = spawn(process.execPath, [main, 'status', 'watched', '--follow', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TEMPORAL_ADDRESS: front.address, ...files.write(first) },
    });
    const ended = once(follower, 'exit');
    let [shown, told] = ['', ''];
    follower.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    follower.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    const looks = (): number => shown.split('\n').length - 1;
    const until = async (what: string, isSo: () => boolean): Promise<void> => {
      for (let waited = 0; !isSo(); waited += 50) {
        assert.ok(waited < 90_000 && follower.exitCode === null, `${what}: ${shown}${told}`);
        await sleep(50);
      }
    };
    /** One that began before may still be shown. */
    const twoLooks = async (what: string): Promise<void> => {
      const before = looks();
      await until(what, () => looks() >= before + 2);
    };
    try {
      await until('a first look', () => looks() > 0);

      files.write(second);
      front.renew(second.context);
      await twoLooks('looks with the second CA');

      // As where a mounted secret is renewed a minute after the server's.
      front.renew(third.context);
      await until('the silence is reported', () => /Temporal does not answer \(.+\)\. Asking again/.test(told));
      files.write(third);
      await twoLooks('looks with the third CA');

      await workflow.terminate();
      assert.deepEqual(await ended, [1, null], `${shown}${told}`);
      assert.match(shown, /"status":"TERMINATED"/);
    } finally {
      follower.kill('SIGKILL');
      await front.stop();
    }
  },
);
