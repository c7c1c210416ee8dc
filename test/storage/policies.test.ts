import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CreateBucketCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { choosePorts } from '../../infra/services/index.js';
import { versitygwProgram } from '../../infra/services/binaries.js';
import { packageRoot } from '../../infra/setup/paths.mjs';
import { keys } from '../../storage/keys.js';
import { s3At, s3Client } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { CredentialsExpired, StoreAccessDenied, type ObjectStore } from '../../storage/types.js';
import { Program } from '../support/servers/program.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const roles = ['data-worker', 'gpu-worker', 'person', 'reader'] as const;
type Role = (typeof roles)[number];
const teams = ['faces', 'hands'] as const;
type Team = (typeof teams)[number];

const bucket = 'shared';
const prefixOf = (team: Team): string => `teams/${team}/`;
const userOf = (team: Team, role: Role): string => `${team}-${role}`;

interface Statement {
  readonly Sid: string;
  readonly Resource: readonly string[];
  readonly Action: readonly string[];
}

/** The statements of a role's policy, for the bucket of this test and a team's prefix. */
function statements(team: Team, role: Role): Statement[] {
  const text = readFileSync(join(packageRoot, 'infra', 'policies', `${role}.json`), 'utf8')
    .replaceAll('${bucket}', bucket)
    .replaceAll('${prefix}', prefixOf(team));
  const { Statement: found } = JSON.parse(text) as { Statement: Statement[] };
  return found;
}

const folder = temporaryFolder();
const [port = 0] = await choosePorts([0]);
const root = { access: 'root-of-the-test', secret: randomBytes(20).toString('hex') };
const program = await versitygwProgram();
for (const name of ['objects', 'metadata', 'users']) mkdirSync(join(folder, name));
const server = new Program({
  name: 'S3 server',
  command: [
    program,
    ...['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', '--quiet', '--iam-dir', join(folder, 'users')],
    ...['posix', '--sidecar', join(folder, 'metadata'), join(folder, 'objects')],
  ],
  port,
  logFile: join(folder, 'server.log'),
  environment: { ROOT_ACCESS_KEY_ID: root.access, ROOT_SECRET_ACCESS_KEY: root.secret },
});
await server.start();
after(() => server.stop());

const configuration = s3At({ bucket, region: 'us-east-1', endpoint: `http://127.0.0.1:${port}` });
const secrets = new Map<string, string>();
process.env['AWS_ACCESS_KEY_ID'] = root.access;
process.env['AWS_SECRET_ACCESS_KEY'] = root.secret;
const admin = s3Client(configuration);
after(() => admin.destroy());
await admin.send(new CreateBucketCommand({ Bucket: bucket }));
const policy: object[] = [];
for (const team of teams) {
  for (const role of roles) {
    const user = userOf(team, role);
    secrets.set(user, randomBytes(20).toString('hex'));
    const to = ['--access', root.access, '--secret', root.secret, '--endpoint-url', configuration.endpoint!];
    const made = ['create-user', '--access', user, '--secret', secrets.get(user)!, '--role', 'user'];
    execFileSync(program, ['admin', ...to, ...made], { stdio: 'pipe' });
    for (const statement of statements(team, role)) {
      // As AWS names users in a bucket's policy; attached to a role the statements stand without.
      policy.push({ ...statement, Sid: `${statement.Sid}Of${policy.length}`, Principal: { AWS: [user] } });
    }
  }
}
await admin.send(
  new PutBucketPolicyCommand({
    Bucket: bucket,
    Policy: JSON.stringify({ Version: '2012-10-17', Statement: policy }),
  }),
);

/** The team's part of the bucket, as whoever has these credentials sees it. */
async function as<T>(
  team: Team,
  role: Role,
  work: (store: ObjectStore) => Promise<T>,
  prefix = prefixOf(team),
): Promise<T> {
  const user = userOf(team, role);
  process.env['AWS_ACCESS_KEY_ID'] = user;
  process.env['AWS_SECRET_ACCESS_KEY'] = secrets.get(user)!;
  const client = s3Client(configuration);
  try {
    const sizes = { keysAtOnce: 10, multipartThreshold: 6 * 2 ** 20, partSize: 5 * 2 ** 20 };
    return await work(s3Store({ ...configuration, prefix }, client, sizes));
  } finally {
    client.destroy();
  }
}

const body = Buffer.from('content');
const index = keys.datasetIndex('heads');
const manifest = keys.manifest('one', 'coarse');
/** This process has other credentials that the store took: a refusal may count as theirs that have expired. */
const denied = (work: Promise<unknown>): Promise<void> =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof StoreAccessDenied || error instanceof CredentialsExpired, String(error));
    assert.match(error.message, /AccessDenied/);
    return true;
  });
async function listed(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

test('each role can do what its work needs', async () => {
  await as('faces', 'data-worker', async (store) => {
    await store.put(index, body, { ifAbsent: true });
    await store.put(keys.runConfiguration('one'), body);
    await store.put(`${keys.dataset('heads')}/large.tar`, Buffer.alloc(7 * 2 ** 20));
    assert.deepEqual(await store.unfinishedUploads(keys.dataset('heads')), []);
  });
  await as('faces', 'gpu-worker', async (store) => {
    assert.deepEqual(Buffer.from((await store.get(index)).body), body);
    const { etag } = await store.put(manifest, body, { ifAbsent: true });
    await store.put(manifest, Buffer.from('next'), { ifMatch: etag });
    // A checkpoint is sent in parts.
    await store.put(`${keys.checkpoints('one', 'coarse')}/c/state`, Buffer.alloc(7 * 2 ** 20));
    await store.delete([`${keys.checkpoints('one', 'coarse')}/c/state`]);
    assert.equal(await store.head(`${keys.checkpoints('one', 'coarse')}/c/state`), null, 'absent, not forbidden');
    assert.deepEqual(await listed(store, 'runs/'), [manifest, keys.runConfiguration('one')].sort());
  });
  await as('faces', 'person', async (store) => {
    await store.put(keys.headFile('two', 'template'), body);
    assert.equal((await listed(store, 'runs/')).length, 3);
  });
  await as('faces', 'reader', async (store) => {
    assert.deepEqual(Buffer.from((await store.get(index)).body), body);
    assert.equal((await listed(store, '')).length, 5);
  });
});

test('no role can do more: a GPU worker and a person leave data alone, a reader everything', async () => {
  for (const role of ['gpu-worker', 'person', 'reader'] as const) {
    await as('faces', role, async (store) => {
      await denied(store.put(index, body));
      await denied(store.delete([index]));
    });
  }
  await as('faces', 'reader', async (store) => {
    await denied(store.put(manifest, body));
    await denied(store.delete([manifest]));
  });
  assert.deepEqual(
    Buffer.from(await as('faces', 'reader', async (store) => (await store.get(index)).body)),
    body,
    'it is still there',
  );
});

test("a team's workers can neither read, write, list nor remove what is another team's", async () => {
  for (const role of roles) {
    await as(
      'hands',
      role,
      async (store) => {
        await denied(store.get(index));
        await denied(store.get(manifest));
        await denied(store.put(manifest, body));
        await denied(store.put(keys.manifest('new', 'coarse'), Buffer.alloc(7 * 2 ** 20)));
        await denied(store.delete([manifest]));
        await denied(listed(store, 'runs/'));
      },
      prefixOf('faces'),
    );
  }
});
