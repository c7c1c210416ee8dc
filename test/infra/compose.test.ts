import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../../configs/packageRoot.js';

interface Compose {
  readonly services: Readonly<
    Record<string, { volumes?: string[]; depends_on?: object; environment?: Readonly<Record<string, string>> }>
  >;
  readonly volumes: Readonly<Record<string, object>>;
}

test('the compose file: what it mounts is there, whom a service waits for is one, data of one’s own are allowed', () => {
  const folder = join(packageRoot, 'infra', 'images');
  const { services, volumes } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
  for (const [name, service] of Object.entries(services)) {
    for (const volume of service.volumes ?? []) {
      const source = volume.replace(/^\$\{\w+:-(.*?)\}/, '$1').split(':')[0]!;
      const isThere = source.startsWith('.') ? existsSync(resolve(folder, source)) : source in volumes;
      assert.ok(isThere, `${name} mounts ${source}, which is not there: the engine would make an empty folder of it`);
    }
    const waited = service.depends_on ?? [];
    for (const other of Array.isArray(waited) ? (waited as string[]) : Object.keys(waited))
      assert.ok(other in services);
  }
  for (const name of ['data', 'gpu']) {
    const { environment, volumes: mounted } = services[name]!;
    assert.ok(
      mounted!.some((volume) => volume.includes(`:${environment!['TEMPEH_FOLDERS']}:ro`)),
      name,
    );
  }
});
