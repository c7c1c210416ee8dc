import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentFor } from '../../configs/processEnvironment.js';

test('each process gets what it needs, and only the data worker the credentials of the data', () => {
  const environment = {
    PATH: '/bin',
    LC_ALL: 'C',
    https_proxy: 'http://proxy:3128',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    AWS_SECRET_ACCESS_KEY: 'key',
    CUDA_VISIBLE_DEVICES: '1',
    TEMPORAL_API_KEY: 'key',
    TEMPEH_USERNAME: 'me',
    TEMPEH_PASSWORD: 'secret',
    TEMPEH_PASSWORD_FILE: '/secret',
    TEMPEH_HOST: 'https://host/',
    TEMPEH_HOSTS_FILE: '/hosts',
    TEMPEH_FOLDERS: '/data',
    TEMPEH_PAYLOAD_KEYS_FILE: '/keys',
    GITHUB_TOKEN: 'token',
    OPENAI_API_KEY: 'key',
    SSH_AUTH_SOCK: '/agent',
  };
  const namesOf = (kind: Parameters<typeof environmentFor>[0]) => Object.keys(environmentFor(kind, environment));
  const foreign = ['GITHUB_TOKEN', 'OPENAI_API_KEY', 'SSH_AUTH_SOCK'];
  const ofData = ['TEMPEH_USERNAME', 'TEMPEH_PASSWORD', 'TEMPEH_PASSWORD_FILE', 'TEMPEH_HOST', 'TEMPEH_HOSTS_FILE'];
  const all = Object.keys(environment);
  const without = (...left: string[]) => all.filter((name) => !left.includes(name));
  assert.deepEqual(namesOf('data-worker'), without(...foreign, 'CUDA_VISIBLE_DEVICES'));
  assert.deepEqual(namesOf('gpu-worker'), without(...foreign, ...ofData));
  assert.deepEqual(
    namesOf('gpu-process'),
    without(...foreign, ...ofData, 'TEMPORAL_API_KEY', 'TEMPEH_PAYLOAD_KEYS_FILE'),
  );
  assert.deepEqual(namesOf('tensorboard'), ['PATH', 'LC_ALL']);
});
