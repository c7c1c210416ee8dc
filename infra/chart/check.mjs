#!/usr/bin/env node
/**
 * Checks the chart with Helm and against the schemas of Kubernetes and KEDA, without a cluster: `npm run test:chart`.
 * Helm and kubeconform are built with Go at the first time and kept in the cache (minutes), like the schemas.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { makeCacheEntry } from '../setup/cache/cacheEntry.mjs';
import { runCommand } from '../setup/commands.mjs';
import { SetupError } from '../setup/errors.mjs';
import { cacheDirectory } from '../setup/paths.mjs';

const chart = path.dirname(fileURLToPath(import.meta.url));
const recipe = path.join(chart, 'tools');
const programs = { helm: 'helm.sh/helm/v3/cmd/helm', kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform' };
/** The schemas of Kubernetes, as PyPI has them. */
const schemas = {
  requirement: 'kubernetes-validate==1.37.0',
  sha256: '85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9',
  versions: ['1.28', '1.33', '1.37'],
  kinds: /^(configmap|deployment|job|networkpolicy|poddisruptionbudget|service|serviceaccount|statefulset)-/,
};
const keda = { module: 'github.com/kedacore/keda/v2@v2.21.0', sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=' };
/** No schema of theirs is to be had here: what is written of them is checked by Helm alone. */
const unchecked = ['PodMonitor', 'PrometheusRule'];
const mend = 'See the output above.';

const images = ['data', 'gpu'].flatMap((target) => [
  '--set',
  `image.${target}.repository=registry.example/tempeh-flow/${target}`,
  '--set',
  `image.${target}.digest=sha256:${'a'.repeat(64)}`,
]);
const address = ['--set', 'temporal.address=temporal.example:7233'];
const file = (/** @type {string} */ name) => ['--values', path.join(chart, name)];
const texts = ['alerts=alerts.yaml', 'dashboard=dashboard.json'].flatMap((text) => [
  '--set-file',
  `monitoring.${text.replace('=', `=${path.join(chart, '..', 'monitoring')}/`)}`,
]);
/** What is rendered: by what it is. @type {Readonly<Record<string, readonly string[]>>} */
const matrix = {
  defaults: [...address],
  EKS: [...address, ...file('values-eks.yaml')],
  'with alerts and dashboard': [...address, ...texts],
  GKE: [...address, ...file('values-gke.yaml')],
  'on premises': file('values-onprem.yaml'),
  'on premises, jobs': [...file('values-onprem.yaml'), '--set', 'gpu.mode=jobs'],
  'versioned, with an API key': [
    ...address,
    ...['--set', 'temporal.deployment=heads', '--set', 'temporal.buildId=b1', '--set', 'temporal.apiKeySecret=key'],
  ],
  'a queue prefix': [...address, '--set', 'temporal.queuePrefix=heads-'],
  'bare: no policies, no job, accounts of others': [
    ...address,
    ...['--set', 'networkPolicies.enabled=false', '--set', 'namespaceJob.enabled=false'],
    ...['--set', 'serviceAccounts.data.create=false', '--set', 'serviceAccounts.data.name=other'],
  ],
};
/** What is refused, and with which words. @type {readonly (readonly [string, readonly string[], RegExp])[]} */
const refused = [
  ['no address', [], /temporal\.address: host:port of the frontend/],
  ['a scheme', ['--set', 'temporal.address=https://temporal.example:7233'], /temporal.*address|pattern/i],
  ['a misspelt value', [...address, '--set', 'gpu.cache.sise=5Gi'], /sise/],
  ['a grace of no use', [...address, '--set', 'gpu.graceSeconds=1'], /graceSeconds/],
  [
    'TLS without its secret',
    [...address, '--set', 'temporal.tls.enabled=true,temporal.tls.ca=true,gpu.mode=fixed'],
    /temporal\.tls\.secret/,
  ],
  [
    'TLS that KEDA does not speak',
    [...address, '--set', 'temporal.tls.enabled=true'],
    /gpu\.mode jobs: KEDA speaks TLS/,
  ],
  [
    'a CA that KEDA does not take',
    [
      ...address,
      '--set',
      'temporal.apiKeySecret=key,temporal.tls.enabled=true,temporal.tls.ca=true,temporal.tls.secret=s',
    ],
    /gpu\.mode jobs: KEDA takes temporal\.tls\.ca/,
  ],
  ['a deployment without its build', [...address, '--set', 'temporal.deployment=heads'], /temporal\.buildId/],
];
/** What must stand in what is rendered, once each. @type {readonly (readonly [string, readonly string[], RegExp])[]} */
const contents = [
  // 200 GiB of an emptyDir and 20 GiB: with 20 GiB alone the kubelet evicts each pod whose cache has filled.
  ['an emptyDir counts as ephemeral storage', address, /limits:\s+ephemeral-storage: "236223201280"/],
  ['a volume does not', [...address, '--set', 'gpu.cache.kind=ephemeral'], /limits:\s+ephemeral-storage: 20Gi/],
  [
    'pods that share a folder have their own beside it',
    file('values-onprem.yaml'),
    /--directory=\/work\s+- --cache=\/frames/,
  ],
  ['names are asked of a cache on the node', address, /cidr: 169\.254\.20\.10\/32/],
  ['addresses of IPv6 are reached', address, /cidr: "::\/0"\s+except:\s+- fd00:ec2::\/32\s+ports/],
  ['pods of Temporal are reached', file('values-onprem.yaml'), /kubernetes\.io\/metadata\.name: temporal \}/],
  [
    'EKS Pod Identity gives credentials',
    [...address, '--set', 'networkPolicies.podIdentity=true'],
    /cidr: 169\.254\.170\.23\/32 \}\s+- ipBlock: \{ cidr: 'fd00:ec2::23\/128' \}\s+ports: \[\{ port: 80/,
  ],
];

await main();

async function main() {
  const cache = await prepared();
  const helm = path.join(cache, 'helm');
  await runCommand(helm, ['lint', '--strict', '--quiet', chart, ...images, ...address], { mend });
  const scratch = mkdtempSync(path.join(tmpdir(), 'tempeh-chart-'));
  try {
    let objects = 0;
    for (const [name, values] of Object.entries(matrix)) {
      // Into files: what a program prints is kept in part.
      const target = path.join(scratch, String(objects), name.replaceAll(/[^a-z]/gi, ''));
      const given = ['--kube-version', '1.33.0', '--output-dir', target, ...images, ...values];
      await runCommand(helm, ['template', 'heads', chart, ...given], { mend });
      for (const version of schemas.versions) {
        const places = [path.join(cache, version), path.join(cache, 'crds')];
        const locations = places.flatMap((place) => [
          '-schema-location',
          `${place}/{{ .ResourceKind }}{{ .KindSuffix }}.json`,
        ]);
        const options = ['-strict', '-summary', '-skip', unchecked.join(','), ...locations, target];
        const said = await runCommand(path.join(cache, 'kubeconform'), options, { mend });
        if (version === schemas.versions[0]) objects += Number(/Valid: (\d+)/.exec(said)?.[1] ?? 0);
      }
      console.log(`✔ ${name}`);
    }
    for (const [name, values, words] of contents) {
      const target = path.join(scratch, 'contents', name.replaceAll(/[^a-z]/gi, ''));
      const given = ['--kube-version', '1.33.0', '--output-dir', target, ...images, ...values];
      await runCommand(helm, ['template', 'heads', chart, ...given], { mend });
      const folder = path.join(target, 'tempeh-flow', 'templates');
      const texts = readdirSync(folder).map((found) => readFileSync(path.join(folder, found), 'utf8'));
      if (!texts.some((text) => words.test(text))) throw new SetupError(`${name}: nothing rendered has ${words}`, mend);
      console.log(`✔ ${name}`);
    }
    for (const [name, values, words] of refused) {
      const said = await runCommand(
        helm,
        ['template', 'heads', chart, '--kube-version', '1.33.0', ...images, ...values],
        { mend },
      ).then(
        () => 'nothing',
        (error) => (error instanceof SetupError ? String(error.output) : Promise.reject(error)),
      );
      if (!words.test(said)) throw new SetupError(`Refused was to be: ${name}; Helm said: ${said}`, mend);
      console.log(`✔ refused: ${name}`);
    }
    await checkSchemasWork(cache, scratch);
    console.log(`${objects} objects are valid for Kubernetes ${schemas.versions.join(', ')} and KEDA.`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A field that does not exist must be found, or the check checks nothing. */
async function checkSchemasWork(/** @type {string} */ cache, /** @type {string} */ scratch) {
  const helm = path.join(cache, 'helm');
  const good = await runCommand(helm, ['template', 'heads', chart, '--kube-version', '1.33.0', ...images, ...address], {
    mend,
  });
  for (const [from, to] of [
    ['readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
    ['scalingStrategy', 'scalingStrategie'],
  ]) {
    if (!good.includes(from)) throw new SetupError(`${from} is not in what is rendered.`, mend);
    const target = path.join(scratch, 'wrong.yaml');
    writeFileSync(target, good.replace(from, to));
    const locations = [schemas.versions[0], 'crds'].flatMap((place) => [
      '-schema-location',
      `${path.join(cache, place)}/{{ .ResourceKind }}{{ .KindSuffix }}.json`,
    ]);
    const found = await runCommand(path.join(cache, 'kubeconform'), ['-strict', ...locations, target], { mend }).then(
      () => false,
      (error) => error instanceof SetupError && String(error.output).includes(to),
    );
    if (!found) throw new SetupError(`The misspelt ${to} was not found.`, mend);
  }
}

/** @returns {Promise<string>} the folder of the cache with programs and schemas */
async function prepared() {
  const hash = createHash('sha256')
    .update(readFileSync(path.join(recipe, 'go.sum')))
    .update(JSON.stringify([schemas, keda, String(strict)]));
  const folder = path.join(cacheDirectory, `chart-tools-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  console.log('Building helm and kubeconform, and fetching schemas: once, some minutes.');
  mkdirSync(cacheDirectory, { recursive: true });
  await makeCacheEntry(folder, async ({ result, scratch }) => {
    for (const name of ['go.mod', 'go.sum', 'tools.go'])
      copyFileSync(path.join(recipe, name), path.join(scratch, name));
    const env = { GOFLAGS: '-modcacherw -buildvcs=false', GOWORK: 'off' };
    const onNetwork = 'Check Go (1.26 or later), the network and the module proxy (`go env GOPROXY`).';
    for (const [name, module] of Object.entries(programs)) {
      const output = path.join(result, name);
      const options = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', output, module];
      await runCommand('go', options, { cwd: scratch, env, mend: onNetwork });
    }
    await fetchKubernetes(result, scratch);
    const told = JSON.parse(
      await runCommand('go', ['mod', 'download', '-json', keda.module], { cwd: scratch, mend: onNetwork }),
    );
    if (told.Sum !== keda.sum)
      throw new SetupError(`${keda.module} has the checksum ${told.Sum}; expected ${keda.sum}.`, mend);
    writeCustomResources(path.join(told.Dir, 'config', 'crd', 'bases'), path.join(result, 'crds'));
  });
  return folder;
}

/** @param {string} result @param {string} scratch */
async function fetchKubernetes(result, scratch) {
  const requirements = path.join(scratch, 'requirements.txt');
  writeFileSync(requirements, `${schemas.requirement} --hash=sha256:${schemas.sha256}\n`);
  const options = ['-m', 'pip', 'download', '-q', '--no-deps', '--require-hashes', '-r', requirements, '-d', scratch];
  await runCommand('python3', options, { mend: 'Check pip, the network and the package index.' });
  const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
  await runCommand('python3', ['-m', 'zipfile', '-e', path.join(scratch, wheel ?? ''), scratch], { mend });
  for (const version of schemas.versions) {
    const from = path.join(scratch, 'kubernetes_validate', 'kubernetes-json-schema', `v${version}.0-local`);
    const to = path.join(result, version);
    mkdirSync(to);
    const shared = strict(JSON.parse(readFileSync(path.join(from, '_definitions.json'), 'utf8')));
    for (const name of readdirSync(from).filter((one) => schemas.kinds.test(one))) {
      // kubeconform does not find what lies beside a file: each has the definitions of its own.
      const own = readFileSync(path.join(from, name), 'utf8').replaceAll('"_definitions.json#', '"#');
      writeFileSync(path.join(to, name), JSON.stringify({ ...strict(JSON.parse(own)), ...shared }));
    }
  }
}

/** As kubeconform looks for them: `scaledjob-keda-v1alpha1.json`. @param {string} from @param {string} to */
function writeCustomResources(from, to) {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const { spec } = parse(readFileSync(path.join(from, name), 'utf8'));
    for (const { name: version, schema } of spec.versions) {
      const file = `${spec.names.kind.toLowerCase()}-${spec.group.split('.')[0]}-${version}.json`;
      writeFileSync(path.join(to, file), JSON.stringify(strict(schema.openAPIV3Schema)));
    }
  }
}

/**
 * Fields that a schema does not name are refused.
 *
 * @param {any} schema
 * @returns {any}
 */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  const named = typeof schema.properties === 'object' && !Array.isArray(schema.properties);
  const isOpen = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  // `metadata: { type: object }` of a custom resource has no properties, and is Kubernetes' own.
  return named && [schema.type].flat().includes('object') && !isOpen ? { ...copy, additionalProperties: false } : copy;
}
