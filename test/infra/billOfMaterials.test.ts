import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { billOfMaterials } from '../../infra/client/billOfMaterials.mjs';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly unknown[];
}

const { components } = JSON.parse(billOfMaterials(packageRoot)) as { readonly components: readonly Component[] };

test('the list of contents has every package that a program loads, also where developers need it too', () => {
  const { packages } = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>;
  };
  const names = new Set(components.map(({ name }) => name));
  // By the dependencies themselves, from our package on: not by what the lock file calls `dev`.
  const left = Object.keys(packages['']!.dependencies ?? {});
  const reached = new Set<string>();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    for (const [place, { dependencies = {} }] of Object.entries(packages)) {
      if (place.endsWith(`node_modules/${name}`)) left.push(...Object.keys(dependencies));
    }
  }
  assert.ok(reached.size > 300, `${reached.size}`);
  assert.deepEqual(
    [...reached].filter((name) => !names.has(name)),
    [],
  );
  assert.ok(!names.has('oxfmt') && !names.has('fast-check'), 'and none that only developers need');
});

test('each has a licence and the hash that it was installed by', () => {
  const bare = components.filter(({ licenses = [], hashes = [] }) => licenses.length === 0 || hashes.length === 0);
  assert.deepEqual(
    bare.map(({ name }) => name),
    [],
  );
  const [hash] = components.find(({ name }) => name === '@grpc/grpc-js')?.hashes ?? [];
  assert.match(`${hash?.alg} ${hash?.content}`, /^SHA-512 [0-9a-f]{128}$/);
});

test('the list is the same each time', () => {
  assert.equal(billOfMaterials(packageRoot), billOfMaterials(packageRoot));
});
