import assert from 'node:assert/strict';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../configs/packageRoot.js';
import { writeZip } from '../../datasets/formats/archives/zip.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import { writeTemplate } from '../../miniature/generate.js';
import { startMiniatureHost } from '../../miniature/host/host.js';
import { coarseLayout, refinementLayout } from '../../model/parameters/parameterLayout.js';
import { tinyNetworks } from '../inference/folderJob.js';
import { untrained, writeCheckpoint } from '../inference/tinyModels.js';
import { tempehFlow } from '../support/commandLine.js';
import { fewFrames, packagedMiniature, smallMiniature } from '../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** Every command line of docs/published.md, one after the other, in a folder where the published data and models come to lie. */
const page = await readFile(join(packageRoot, 'docs/published.md'), 'utf8');
const root = temporaryFolder();
const here = process.cwd();
const credentials = { username: 'me', password: 'secret' };
const environment = { TEMPEH_USERNAME: credentials.username, TEMPEH_PASSWORD: credentials.password };
const { vertexCount } = smallMiniature(fewFrames);
let host: Awaited<ReturnType<typeof startMiniatureHost>>;

/** A published run's folder as the host's archive has it, with tiny networks. */
async function modelArchive(name: string, stage: 'coarse' | 'refinement'): Promise<Buffer> {
  const { model } = tinyNetworks;
  const file = join(root, `${stage}.pth`);
  const layouts = stage === 'coarse' ? coarseLayout(model.coarse, vertexCount) : refinementLayout(model.refinement);
  await writeCheckpoint(file, layouts, untrained(1));
  const template = await readFile(join(root, 'data/template/sampling_template.obj'));
  const config = { base: { gpu: '0', experiment_id: name }, data: { image_file_ext: 'png' }, train: { batch_size: 2 } };
  return writeZip([
    { name: `${name}/config.json`, bytes: Buffer.from(JSON.stringify(config)) },
    { name: `${name}/template.obj`, bytes: template },
    { name: `${name}/checkpoints/model_00800000.pth`, bytes: await readFile(file) },
  ]);
}

before(async () => {
  const directory = join(root, 'package');
  await cp(await packagedMiniature(fewFrames), directory, { recursive: true });
  await writeTemplate(generateHeadTemplate(vertexCount), join(root, 'data'));
  for (const [name, stage] of [
    ['coarse__TEMPEH_final', 'coarse'],
    ['refinement_TEMPEH_final', 'refinement'],
  ] as const) {
    const archive = join(directory, 'models', `${name}.zip`);
    await mkdir(dirname(archive), { recursive: true });
    await writeFile(archive, await modelArchive(name, stage));
  }
  await writeFile(join(root, 'tiny.json'), JSON.stringify(tinyNetworks));
  host = await startMiniatureHost({ ...credentials, directory });
  process.chdir(root);
});
after(async () => {
  process.chdir(here);
  await host.close();
});

/** What stands in code, without `npx tempeh-flow`, as a shell splits it. */
const commandLines = [...page.matchAll(/npx tempeh-flow ((?:[^`\n\\]|\\\n)+)/g)].map(([, text]) =>
  [...text!.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!),
);

test('the page has a command line for every step', () => {
  assert.deepEqual(
    commandLines.map(([name, what]) => (/^(fetch|predict|start)$/.test(name!) ? `${name} ${what}` : name)),
    [
      ...['fetch models', 'fetch test-subset', 'fetch training-data', 'tensorboard'],
      ...['predict coarse', 'predict refinement', 'train-global', 'train-global'],
      ...['start predictions', 'train-local', 'start full-training'],
    ],
  );
});

for (const args of commandLines) {
  test(args.slice(0, 4).join(' '), { timeout: 120_000 }, async () => {
    const [name] = args;
    if (name === 'fetch') {
      const { code, stderr } = await tempehFlow([...args, '--host', host.address], environment);
      assert.equal(code, 0, stderr);
    } else if (name === 'predict') {
      const { code, stderr } = await tempehFlow([...args, '--config', 'tiny.json'], environment);
      assert.equal(code, 0, stderr);
      const out = args[args.indexOf('--out_dir') + 1]!;
      const files = (await readdir(out, { recursive: true })).filter((file) => file.endsWith('.ply'));
      assert.ok(files.length > 0);
      const mesh = parsePly(await readFile(join(out, files[0]!)), files[0]!);
      assert.equal(mesh.vertices.length, 3 * vertexCount);
    } else if (name === 'tensorboard') {
      assert.equal((await tempehFlow([...args, '--help'])).code, 0);
    } else {
      // All but the service itself: options, settings, and the files that a run starts from.
      const random = ['--set', 'model.coarse.trunk.kind=random'];
      const { code, stderr } = await tempehFlow([...args, ...random, '--address', '127.0.0.1:1']);
      assert.equal(code, 3, stderr);
      assert.match(stderr, /Temporal does not answer at 127\.0\.0\.1:1/);
      if (name === 'train-local')
        assert.match(stderr, /the command line: global_model_root_dir: has no counterpart here: the refinement/);
    }
  });
}

test('every published option is taken, with dashes and with underscores', async () => {
  const options = JSON.parse(await readFile(join(packageRoot, 'test/configs/publishedOptions.json'), 'utf8')) as Record<
    'coarse' | 'refinement',
    Record<string, unknown>
  >;
  const words = (value: unknown): string[] =>
    Array.isArray(value) ? value.map(String) : [typeof value === 'string' ? value : JSON.stringify(value)];
  for (const [model, command] of [
    ['coarse', 'train-global'],
    ['refinement', 'train-local'],
  ] as const) {
    for (const separator of ['-', '_']) {
      const given = Object.entries(options[model]).flatMap(([name, value]) => [
        `--${name.replaceAll('_', separator)}`,
        ...words(value),
      ]);
      const more = ['--run', 'r', '--set', 'storage.bucket=NAME', '--set', 'model.coarse.trunk.kind=random'];
      const { code, stderr } = await tempehFlow([command, ...given, ...more, '--address', '127.0.0.1:1']);
      assert.equal(code, 3, stderr);
      assert.doesNotMatch(stderr, /note:/, 'the published defaults need no word');
    }
  }
});
