import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choosePorts, loopback } from '../../infra/services/index.js';
import type { BuiltServer } from './builtServer.js';
import { serverNames, type Certificates } from './certificates.js';
import { Program } from '../support/servers/program.js';

/** The services of a Temporal cluster, in the order in which they are first started: the frontend prepares the database. */
export const services = ['frontend', 'history', 'matching', 'worker'] as const;
export type Service = (typeof services)[number];

/** Seconds in which the servers read certificates anew. */
export const refreshSeconds = 3;

/** Temporal's four services, a process each, on a PostgreSQL, with TLS on both sides of every connection. */
export class TemporalCluster {
  private constructor(
    readonly address: string,
    private readonly programs: Readonly<Record<Service, Program>>,
  ) {}

  static async start(
    built: BuiltServer,
    databasePort: number,
    certificates: Certificates,
    folder: string,
  ): Promise<TemporalCluster> {
    makeDatabases(built, databasePort);
    const ports = await smallPorts(2 * services.length);
    const configuration = join(folder, 'temporal.yaml');
    const dynamic = join(folder, 'dynamic.yaml');
    // Tasks of teams and runs take turns (configs/temporal.ts has the keys).
    writeFileSync(dynamic, 'matching.enableFairness: [{ value: true }]\n');
    writeFileSync(
      configuration,
      JSON.stringify(serverConfiguration(ports, databasePort, certificates, dynamic), null, 1),
    );
    const programs = Object.fromEntries(
      services.map((service, i) => {
        const command = [built.server, '--config-file', configuration, 'start', `--service=${service}`];
        const logFile = join(folder, `temporal-${service}.log`);
        return [service, new Program({ name: service, command, port: ports[2 * i]!, logFile })];
      }),
    ) as Record<Service, Program>;
    const cluster = new TemporalCluster(`${loopback}:${ports[0]}`, programs);
    try {
      for (const service of services) await programs[service].start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async restart(service: Service): Promise<void> {
    await this.programs[service].stop();
    await this.programs[service].start();
  }

  async stop(): Promise<void> {
    for (const service of services) await this.programs[service].stop();
  }
}

/** Temporal's table of members has room for ports below 32768 only. */
async function smallPorts(count: number): Promise<number[]> {
  for (;;) {
    const first = randomInt(12_000, 32_000 - count);
    const ports = await choosePorts(Array.from({ length: count }, (_, i) => first + i));
    if (ports.every((port, i) => port === first + i)) return ports;
  }
}

const databases = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;

function makeDatabases({ sqlTool, schema }: BuiltServer, port: number): void {
  for (const [kind, database] of Object.entries(databases)) {
    const to = ['--plugin', 'postgres12', '--ep', loopback, '-p', String(port), '-u', 'postgres', '--db', database];
    const run = (...args: string[]): void => void execFileSync(sqlTool, [...to, ...args], { stdio: 'pipe' });
    run('create-database');
    run('setup-schema', '-v', '0.0');
    run('update-schema', '-d', join(schema, kind, 'versioned'));
  }
}

function serverConfiguration(
  ports: readonly number[],
  databasePort: number,
  certificates: Certificates,
  dynamic: string,
): object {
  const { file } = { file: (name: string) => certificates.file(name) };
  const store = (databaseName: string): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${loopback}:${databasePort}`,
      connectProtocol: 'tcp',
      user: 'postgres',
      maxConns: 20,
      maxIdleConns: 20,
      maxConnLifetime: '1h',
    },
  });
  const server = (name: string, authority: string): object => ({
    certFile: file(`${name}.pem`),
    keyFile: file(`${name}.key`),
    requireClientAuth: true,
    clientCaFiles: [file(authority)],
  });
  const client = (serverName: string, authority: string): object => ({ serverName, rootCaFiles: [file(authority)] });
  const frontend = `${loopback}:${ports[0]}`;
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'main',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { main: store(databases.temporal), visibility: store(databases.visibility) },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: loopback },
      tls: {
        refreshInterval: `${refreshSeconds}s`,
        internode: {
          server: server('internode', 'internode-ca.pem'),
          client: client(serverNames.internode, 'internode-ca.pem'),
        },
        frontend: { server: server('frontend', 'ca.pem'), client: client(serverNames.frontend, 'ca.pem') },
        systemWorker: {
          certFile: file('system-worker.pem'),
          keyFile: file('system-worker.key'),
          client: client(serverNames.frontend, 'ca.pem'),
        },
      },
    },
    services: Object.fromEntries(
      services.map((service, i) => {
        const rpc = { grpcPort: ports[2 * i], membershipPort: ports[2 * i + 1], bindOnIP: loopback };
        return [service, { rpc }];
      }),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: frontend },
      },
    },
    publicClient: { hostPort: frontend },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } },
    namespaceDefaults: { archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } } },
    dynamicConfigClient: { filepath: dynamic, pollInterval: '10s' },
  };
}
