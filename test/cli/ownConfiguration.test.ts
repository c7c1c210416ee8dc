import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { LogParts } from '../../checkpoints/logs/logParts.js';
import { attemptLogName } from '../../checkpoints/logs/readLogs.js';
import { connectClient } from '../../client/connection/client.js';
import { configurationOf, startRun } from '../../client/runs/runs.js';
import { loadConfiguration } from '../../configs/load.js';
import { startTemporal, type TemporalService } from '../../infra/services/index.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

describe('commands that name a run know how it is configured', () => {
  const folder = temporaryFolder();
  const objects = join(folder, 'objects');
  let server: TemporalService;
  let client: Client;
  const ask = (...args: string[]) => tempehFlow([...args, '--address', server.address]);

  before(async () => {
    server = await startTemporal({ directory: join(folder, 'temporal'), port: 0, uiPort: 0, modest: true });
    client = await connectClient({ address: server.address, namespace: server.namespace });
    const configuration = await loadConfiguration('miniature', [
      `storage={kind: directory, path: ${objects}}`,
      'seed=41',
    ]);
    await startRun(client, { run: 'own', configuration });
    const attempt = attemptLogName(new Date(Date.UTC(2026, 0, 1)), 'abc');
    const log = new LogParts({ store: directoryStore(objects), run: 'own', step: 'refinement', attempt });
    const line = { level: 'info', time: '2026-01-01T01:00:00.000Z', worker: 'trainer', message: 'Trains refinement' };
    log.add(Buffer.from(`${JSON.stringify(line)}\n`));
    await log.close();
  });
  after(async () => {
    await client.connection.close();
    await server.stop();
  });

  test('its logs are found in its own store', async () => {
    const { code, stdout, stderr } = await ask('logs', 'own');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Trains refinement/);
  });

  test('where Temporal knows no such run, it is said how to name the store', async () => {
    const { code, stderr } = await ask('report', 'other');
    assert.equal(code, 1);
    assert.match(stderr, /Temporal knows no run other.*Name its store: --set storage\.bucket=NAME/s);
  });

  test('a step by itself gets what the run was started with', async () => {
    const { code, stderr } = await ask('start', 'evaluation', '--run', 'own', '--set', 'seed=42');
    assert.equal(code, 0, stderr);
    const { seed, storage } = await configurationOf(client, 'own/evaluation');
    assert.deepEqual([seed, storage], [42, { kind: 'directory', path: objects }]);
  });
});
