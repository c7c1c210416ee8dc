import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startingAlone } from '../../cli/runs/startingAlone.js';
import { connectClient } from '../../client/connection/client.js';
import { startRun } from '../../client/runs/runs.js';
import { loadConfiguration } from '../../configs/load.js';
import { startTemporal, type TemporalService } from '../../infra/services/index.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import { writeTemplate } from '../../miniature/generate.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { main } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
let server: TemporalService;
before(async () => {
  server = await startTemporal({ directory: join(folder, 'temporal'), port: 0, uiPort: 0, modest: true });
});
after(() => server.stop());

test('of two starts of one name at once, the second finds the run running, and writes nothing over', async () => {
  const client = await connectClient({ address: server.address, namespace: server.namespace }, {});
  const head = join(folder, 'head');
  await writeTemplate(generateHeadTemplate(150), head);
  const set = [
    `storage={kind: directory, path: ${join(folder, 'store')}}`,
    `dataset.layout.template={file: ${join(head, 'template/sampling_template.obj')}}`,
    `dataset.layout.vertexMasks={file: ${join(head, 'template/vertex_masks2.npz')}}`,
  ];
  const configuration = await loadConfiguration('miniature', set);
  const store = openStore(configuration.storage);
  const [run, template] = ['twice', keys.headFile('twice', 'template')];
  try {
    let said = '';
    const { closed } = await startingAlone(configuration, [run], async () => {
      const options = ['--config', 'miniature', ...set.flatMap((setting) => ['--set', setting])];
      const args = [main, 'start', 'full-training', '--run', run, '--address', server.address, ...options];
      const second = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      const closed = once(second, 'close');
      const waits = new Promise<void>((resolve) => {
        second.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (said.includes('just being started')) resolve();
        });
      });
      await Promise.race([waits, closed]);
      assert.equal(await store.head(template), null);
      await store.put(template, Buffer.from('of the first'));
      await startRun(client, { run, configuration });
      return { closed };
    });
    assert.deepEqual(await closed, [1, null], said);
    assert.match(said, /twice is just being started \(process \d+ on .*twice is running already/s);
    assert.equal(Buffer.from((await store.get(template)).body).toString(), 'of the first');
    assert.equal(await store.head(keys.starting(run)), null);
  } finally {
    await client.connection.close();
  }
});
