import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporalSettings } from '../../client/connection/connectionSettings.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

test('without settings it is the server of this machine; an API key means TLS', () => {
  assert.deepEqual(temporalSettings({}), { address: '127.0.0.1:7233', namespace: 'default' });
  const cloud = { TEMPORAL_ADDRESS: 'x.tmprl.cloud:7233', TEMPORAL_NAMESPACE: 'heads', TEMPORAL_API_KEY: 'key' };
  const settings = { address: 'x.tmprl.cloud:7233', namespace: 'heads', apiKey: 'key', tls: true };
  assert.deepEqual(temporalSettings(cloud), settings);
  assert.equal(temporalSettings({ TEMPORAL_TLS: 'false' }).tls, undefined);
  assert.equal(temporalSettings({ TEMPORAL_TLS: 'true' }).tls, true);
});

test('certificates are read; half a pair, or a file that is not there, is named', () => {
  const folder = temporaryFolder();
  const [certificate, key] = [join(folder, 'c.pem'), join(folder, 'k.pem')];
  writeFileSync(certificate, 'certificate');
  writeFileSync(key, 'key');
  const pair = { TEMPORAL_TLS_CLIENT_CERT_PATH: certificate, TEMPORAL_TLS_CLIENT_KEY_PATH: key };
  const clientCertPair = { crt: Buffer.from('certificate'), key: Buffer.from('key') };
  assert.deepEqual(temporalSettings(pair).tls, { clientCertPair });
  assert.throws(() => temporalSettings({ ...pair, TEMPORAL_TLS_CLIENT_KEY_PATH: '' }), /go together; only one is set/);
  const absent = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nonexistent.pem' };
  assert.throws(
    () => temporalSettings(absent),
    /TEMPORAL_TLS_SERVER_CA_CERT_PATH names \/nonexistent.pem, which cannot/,
  );
});
