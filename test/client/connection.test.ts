import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connectClient, RunError } from '../../client/connection/client.js';
import { temporalSettings } from '../../client/connection/connectionSettings.js';
import { ensureSearchAttributes } from '../../client/searchAttributes.js';
import { tempehFlow } from '../support/commandLine.js';
import { selfSigned } from '../support/servers/selfSigned.js';
import { TemporalFront } from '../support/servers/temporalFront.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const [ca, other] = [join(folder, 'ca.pem'), join(folder, 'other.pem')];
let temporal: TestTemporal;
let secure: TemporalFront;
let plain: TemporalFront;
before(async () => {
  temporal = await startTestTemporal();
  const pair = selfSigned();
  writeFileSync(ca, pair.cert);
  writeFileSync(other, selfSigned().cert);
  secure = await TemporalFront.start(temporal.settings.address, pair);
  plain = await TemporalFront.start(temporal.settings.address);
});
after(async () => {
  await secure.stop();
  await plain.stop();
  await temporal.stop();
});

/** Connects as the environment says, and asks who is there. */
async function connect(environment: Record<string, string>): Promise<void> {
  const client = await connectClient(temporalSettings(environment));
  await client.connection.close();
}

async function refused(environment: Record<string, string>): Promise<RunError> {
  const error: unknown = await connect(environment).catch((cause: unknown) => cause);
  assert.ok(error instanceof RunError, String(error));
  return error;
}

describe('errors of a connection say what is wrong', () => {
  const tls = (more: Record<string, string>) => refused({ TEMPORAL_ADDRESS: secure.address, ...more });
  const cases: readonly [string, () => Promise<RunError>, RunError['reason'], RegExp][] = [
    ['TLS forgotten', () => tls({}), 'setting', /speaks TLS, and TLS is not switched on/],
    ['no CA', () => tls({ TEMPORAL_TLS: 'true' }), 'setting', /no CA that this machine trusts.*SERVER_CA_CERT_PATH/],
    ['another CA', () => tls({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: other }), 'setting', /not from the CA that was given/],
    [
      'another name',
      () => tls({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca, TEMPORAL_TLS_SERVER_NAME: 'temporal.internal' }),
      'setting',
      /not for temporal\.internal.*TEMPORAL_TLS_SERVER_NAME/,
    ],
    [
      'TLS on a plain server',
      () => refused({ TEMPORAL_ADDRESS: plain.address, TEMPORAL_TLS: 'true' }),
      'setting',
      /speaks no TLS/,
    ],
    ['nothing there', () => refused({ TEMPORAL_ADDRESS: '127.0.0.1:1' }), 'unreachable', /nothing listens there/],
    [
      'a scheme',
      () => refused({ TEMPORAL_ADDRESS: 'http://127.0.0.1:7233' }),
      'setting',
      /without http:\/\/; TLS is switched on by TEMPORAL_TLS/,
    ],
    [
      'a word for yes',
      () => refused({ TEMPORAL_TLS: 'yes' }),
      'setting',
      /TEMPORAL_TLS is "yes": expected true or false/,
    ],
  ];
  for (const [name, attempt, reason, message] of cases) {
    test(name, async () => {
      const error = await attempt();
      assert.equal(error.reason, reason, error.message);
      assert.match(error.message, message);
    });
  }

  test('an API key that is refused', async () => {
    plain.rule = ({ headers }) =>
      headers['authorization'] === 'Bearer right' ? null : { status: 16, message: 'Request unauthorized.' };
    try {
      const key = join(folder, 'key');
      const environment = { TEMPORAL_ADDRESS: plain.address, TEMPORAL_TLS: 'false', TEMPORAL_API_KEY_FILE: key };
      writeFileSync(key, 'wrong\n');
      const error = await refused(environment);
      assert.equal(error.reason, 'setting');
      assert.match(error.message, /Request unauthorized.*TEMPORAL_API_KEY_FILE/);
      writeFileSync(key, 'right\n');
      await connect(environment);
    } finally {
      plain.rule = () => null;
    }
  });

  test('exit codes: 2 for a setting', async () => {
    const { code, stderr } = await tempehFlow(['list', '--address', 'https://127.0.0.1:7233']);
    assert.equal(code, 2, stderr);
  });
});

test('a private CA, and any certificate at all, are taken where the settings say so', async () => {
  await connect({ TEMPORAL_ADDRESS: secure.address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca });
  await connect({ TEMPORAL_ADDRESS: secure.address, TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' });
});

test('a profile of Temporal’s own configuration file is heeded, and variables count more', () => {
  const file = join(folder, 'temporal.toml');
  writeFileSync(
    file,
    `[profile.cloud]\naddress = "a:1"\nnamespace = "heads"\n[profile.cloud.tls]\nserver_name = "n"\n`,
  );
  const settings = temporalSettings({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cloud', TEMPORAL_ADDRESS: 'b:2' });
  assert.deepEqual(settings, { address: 'b:2', namespace: 'heads', tls: { serverNameOverride: 'n' } });
  const unknown = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'none' };
  assert.throws(() => temporalSettings(unknown), /'none' not found/);
});

test('this machine is never reached by a proxy', async () => {
  const { code, stderr } = await tempehFlow(['list', '--address', plain.address], {
    http_proxy: 'http://127.0.0.1:9',
    HTTPS_PROXY: 'http://127.0.0.1:9',
  });
  assert.equal(code, 0, stderr);
});

test('in a fresh namespace there is no run; once it is prepared, what was registered is usable', async () => {
  const command = (...words: string[]) =>
    tempehFlow([...words, '--namespace', 'fresh', '--address', temporal.settings.address]);
  const missing = await command('list');
  assert.equal(missing.code, 2, missing.stderr);
  assert.match(missing.stderr, /has no namespace fresh.*namespace init --create/s);
  const made = await command('namespace', 'init', '--create');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /Registered [^\n]*TempehRun[^\n]*\n[^]*is ready for runs/);
  const listed = await command('list');
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /There is no run yet/);
});

test('a server that lets nobody look at search attributes stops no start', async () => {
  plain.rule = ({ method }) =>
    method === 'ListSearchAttributes' ? { status: 7, message: 'Request unauthorized.' } : null;
  const client = await connectClient({ address: plain.address, namespace: 'default' });
  try {
    assert.equal(await ensureSearchAttributes(client), null);
  } finally {
    plain.rule = () => null;
    await client.connection.close();
  }
});

test('a question that is to be asked again ends when the connection is closed, and takes nothing down', async () => {
  const front = await TemporalFront.start(temporal.settings.address);
  const client = await connectClient(temporalSettings({ TEMPORAL_ADDRESS: front.address }));
  await front.stop();
  const question = assert.rejects(client.workflowService.getSystemInfo({}));
  // The first answer (there is no server) has come, and the next attempt waits for its time.
  await setTimeout(50);
  await client.connection.close();
  await question;
});
