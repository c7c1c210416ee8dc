/**
 * `npm run test:cluster`: runs on a Temporal as teams have it, four services on a PostgreSQL with TLS on both sides, while
 * services, database, certificates and a worker go and come back. `--keep` leaves the folder with all logs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killDescendants } from '../../cli/quickstart/processTree.js';
import { builtServer } from './builtServer.js';
import { Certificates } from './certificates.js';
import { Postgres } from './postgres.js';
import { Scenario } from './scenario.js';
import { Site } from './site.js';
import { TemporalCluster } from './temporalCluster.js';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const began = Date.now();
const say = (text: string): void =>
  console.log(`${`${((Date.now() - began) / 1000).toFixed(0)} s`.padStart(6)}  ${text}`);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    stopping.abort();
    killDescendants();
    process.exit(130);
  });
}

const directory = mkdtempSync(join(tmpdir(), 'tempeh-cluster-'));
// Its owner is another user, who must find the way to it.
const databaseDirectory = mkdtempSync(join(tmpdir(), 'tempeh-postgres-'));
const cleanups: (() => Promise<void>)[] = [];
let failure: unknown = null;
try {
  const built = await builtServer(say, stopping.signal);
  const postgres = await Postgres.start(databaseDirectory, join(directory, 'postgres.log'));
  cleanups.push(() => postgres.stop());
  say('PostgreSQL serves');
  const certificates = new Certificates(join(directory, 'certificates'));
  const cluster = await TemporalCluster.start(built, postgres.port, certificates, directory);
  cleanups.push(() => cluster.stop());
  say('frontend, history, matching and worker serve, with TLS on both sides');
  const site = await Site.start(directory, cluster.address, certificates);
  cleanups.push(() => site.stop());
  await new Scenario({ postgres, certificates, cluster, site, say }).play();
} catch (error) {
  failure = error;
}
for (const cleanup of cleanups.reverse()) {
  await cleanup().catch((error: unknown) => console.error(error));
}
if (failure === null && !process.argv.includes('--keep')) {
  for (const folder of [directory, databaseDirectory]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
} else console.log(`Logs: ${directory}`);
if (failure !== null) {
  console.error(failure);
  console.log('NOT OK');
}
process.exit(failure === null ? 0 : 1);
