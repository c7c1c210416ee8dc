import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCredentials } from '../../activities/credentials/credentials.js';
import { hostTable } from '../../activities/credentials/hostTable.js';
import { noticeHook } from '../../activities/notices/noticeHook.js';
import { WorkerLimits } from '../../activities/workerLimits.js';
import { chooseServer } from '../../cli/connection.js';
import { workspace } from '../../cli/machine/workspace.js';
import { PayloadKeys } from '../../client/payloads/payloadKeys.js';
import { ConfigurationError } from '../../configs/configurationError.js';
import { checkDeviceMemory } from '../../configs/deviceMemory.js';
import { frameCacheOf } from '../../configs/frameCache.js';
import { graceOf } from '../../configs/grace.js';
import { taskQueues } from '../../configs/queues.js';
import { threadsOf } from '../../configs/slots.js';
import { findCache } from '../../infra/setup/paths.mjs';
import { logLevel } from '../../workers/logLines.js';
import { workerVersion } from '../../workers/temporal/workerVersion.js';

type Environment = Readonly<Record<string, string>>;

/** What an answer is compared by, also where it is a refusal. */
async function answer(read: (environment: Environment) => unknown, environment: Environment): Promise<unknown> {
  try {
    return await read(environment);
  } catch (error) {
    return String(error);
  }
}

/** What some call reads from this process's environment. */
function inProcess(read: () => unknown): (environment: Environment) => Promise<unknown> {
  return async (environment) => {
    const before = { ...process.env };
    Object.assign(process.env, environment);
    try {
      return await read();
    } finally {
      for (const name of Object.keys(environment)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  };
}

// A compose file, a chart or a CI job that has no value for a variable sets it to nothing.
const readers: Readonly<Record<string, (environment: Environment) => unknown>> = {
  TEMPEH_NOTICE_KINDS: noticeHook,
  TEMPEH_NOTICE_URL: noticeHook,
  TEMPEH_NOTICE_URL_FILE: noticeHook,
  TEMPEH_NOTICE_COMMAND: noticeHook,
  TEMPEH_LOG_LEVEL: logLevel,
  TEMPEH_DIRECTORY: inProcess(() => workspace()),
  TEMPEH_CACHE: (environment) => findCache({ HOME: '/home/a', ...environment }),
  TEMPEH_GRACE_SECONDS: (environment) => graceOf(environment['TEMPEH_GRACE_SECONDS']),
  TEMPEH_DEVICE_MEMORY: checkDeviceMemory,
  TEMPEH_FRAME_CACHE: (environment) => frameCacheOf('/a', {}, environment),
  TEMPEH_FRAME_CACHE_BYTES: (environment) => frameCacheOf('/a', {}, environment),
  TEMPEH_SLOTS: (environment) => threadsOf(8, environment),
  TEMPEH_QUEUE_PREFIX: taskQueues,
  TEMPEH_STORES: (environment) => WorkerLimits.of('/a', environment),
  TEMPEH_FOLDERS: (environment) => WorkerLimits.of('/a', environment),
  TEMPEH_USERNAME_FILE: (environment) =>
    readCredentials({ TEMPEH_USERNAME: 'a', TEMPEH_PASSWORD: 'b', ...environment }),
  TEMPEH_PASSWORD_FILE: (environment) =>
    readCredentials({ TEMPEH_USERNAME: 'a', TEMPEH_PASSWORD: 'b', ...environment }),
  TEMPEH_USERNAME: readCredentials,
  TEMPEH_PASSWORD: readCredentials,
  TEMPEH_HOSTS_FILE: (environment) => hostTable(environment['TEMPEH_HOSTS_FILE']),
  TEMPEH_PAYLOAD_KEYS: (environment) => PayloadKeys.of(environment),
  TEMPEH_PAYLOAD_KEYS_FILE: (environment) => PayloadKeys.of(environment),
  TEMPORAL_DEPLOYMENT_NAME: (environment) => workerVersion({}, environment),
  TEMPORAL_WORKER_BUILD_ID: (environment) => workerVersion({}, environment),
  TEMPORAL_UI_URL: inProcess(() => chooseServer({ address: '127.0.0.1:1', namespace: undefined })),
};

for (const [name, read] of Object.entries(readers)) {
  test(`${name} that is empty is as one that is not set`, async () => {
    assert.deepEqual(await answer(read, { [name]: '' }), await answer(read, {}));
  });
}

test('what was found is seen, also where it is nothing, or has blanks around it', () => {
  const of = (found: string): string =>
    new ConfigurationError([{ where: 'TEMPEH_X', setting: '', found, expected: 'expected a name' }]).message;
  assert.equal(of(''), 'TEMPEH_X: found ""; expected a name');
  assert.equal(of(' a'), 'TEMPEH_X: found " a"; expected a name');
  assert.equal(of('a b'), 'TEMPEH_X: found a b; expected a name');
});
