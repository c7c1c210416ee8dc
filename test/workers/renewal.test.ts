import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { main } from '../support/commandLine.js';
import { TemporalFront } from '../support/servers/temporalFront.js';
import { issued, TlsFiles } from '../support/servers/tlsFiles.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
let temporal: TestTemporal;
before(async () => {
  temporal = await startTestTemporal();
});
after(() => temporal.stop());

const tls = new TlsFiles(folder);

test(
  'an API key and certificates that are renewed under a running worker are taken without a restart',
  { timeout: 180_000 },
  async () => {
    const first = issued('first');
    const front = await TemporalFront.start(temporal.settings.address, {
      ...first.context,
      requestCert: true,
      rejectUnauthorized: true,
    });
    let accepted = 'key-1';
    const polls = { accepted: 0, refused: 0 };
    front.rule = ({ method, headers }) => {
      const isRight = headers.authorization === `Bearer ${accepted}`;
      if (/^Poll/.test(method)) polls[isRight ? 'accepted' : 'refused']++;
      // As a server that lets polls go on for a while with a key that has run out, so that nothing hangs on the moment.
      return isRight || /^Poll/.test(method) ? null : { status: 16, message: 'Request unauthorized.' };
    };
    const worker = spawn(process.execPath, [main, 'worker', 'data', '--directory', join(folder, 'worker')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: front.address,
        TEMPORAL_API_KEY_FILE: tls.put('key', 'key-1\n'),
        ...tls.write(first),
      },
    });
    let log = '';
    worker.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    const until = async (what: string, isSo: () => boolean): Promise<void> => {
      for (let waited = 0; !isSo(); waited += 50) {
        assert.ok(waited < 90_000 && worker.exitCode === null, `${what}: ${log}`);
        await sleep(50);
      }
    };
    try {
      await until('ready', () => log.includes('ready on'));
      await until('polls', () => polls.accepted > 0);

      tls.put('key', 'key-2\n');
      await until('the key is read anew', () => log.includes('The API key of Temporal was read anew'));
      accepted = 'key-2';
      // Polls that hang are cut, as by a load balancer.
      Object.assign(polls, { accepted: 0, refused: 0 });
      front.cut();
      await until('polls with the new key', () => polls.accepted > 0);
      assert.equal(polls.refused, 0, 'none has the old key');

      const second = issued('second');
      tls.write(second);
      front.renew(second.context);
      Object.assign(polls, { accepted: 0, refused: 0 });
      await until('a connection with the new certificates', () => log.includes('connection to Temporal was made anew'));
      await until('polls over it', () => polls.accepted > 0);
      assert.doesNotMatch(log, /Worker failed/);

      worker.kill('SIGTERM');
      const [code] = (await once(worker, 'exit')) as [number | null];
      assert.equal(code, 0, log);
    } finally {
      worker.kill('SIGKILL');
      await front.stop();
    }
  },
);
