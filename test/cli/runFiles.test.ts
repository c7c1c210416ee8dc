import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { checkAndStoreRun } from '../../activities/runs/prepareRun.js';
import { withLocalHead } from '../../activities/runs/runFiles.js';
import { proveHead } from '../../activities/runs/proveData.js';
import { findRunFiles, storeRunFiles } from '../../cli/runs/runFiles.js';
import { loadConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { decodeModel } from '../../checkpoints/reading/trainingState.js';
import { parseObj } from '../../datasets/formats/meshes/obj.js';
import { formatPly } from '../../datasets/formats/meshes/ply.js';
import { writePytorchFile } from '../../datasets/formats/pytorch/writePytorch.js';
import { coarseLayout, isTrunkTensor } from '../../model/parameters/parameterLayout.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import { writeTemplate } from '../../miniature/generate.js';
import { importPublished } from '../../training/published/importPublished.js';
import { openStore } from '../../storage/openStore.js';
import { plainConfiguration, saveOf } from '../checkpoints/checkpointFixtures.js';
import { publishedStates, writable } from '../training/published/publishedFixtures.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const prefix = 'feature_net.model.resnet34_32s.';
const vertexCount = 150;
let trunk: string;
const notes: string[] = [];

const options = {
  what: 'full-training',
  run: null,
  isBranch: false,
  onNote: (note: string) => void notes.push(note),
} as const;

function configured(...set: string[]): Promise<RunConfiguration> {
  return loadConfiguration('miniature', ['storage.kind=directory', `storage.path=${join(folder, 'store')}`, ...set]);
}

before(async () => {
  const { model } = await configured();
  const layouts = coarseLayout(model.coarse, vertexCount).filter(({ name }) => isTrunkTensor(name));
  const states = [...publishedStates(layouts)].map(
    ([name, value]) => [String(name).slice(prefix.length), value] as const,
  );
  const file = join(folder, 'trunk.pth');
  await writePytorchFile(file, writable(new Map(states)));
  const digits = createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 8);
  trunk = join(folder, `resnet34-${digits}.pth`);
  await rename(file, trunk);
  await writeTemplate(generateHeadTemplate(vertexCount), folder);
});

describe('the trunk', () => {
  const imagenet = (file: string) => configured(`model.coarse.trunk={kind: imagenet, file: ${file}}`);

  test('famos asks for ImageNet’s before it asks for any service, and says how to get it', async () => {
    const set = ['--set', 'storage.bucket=none'];
    const { code, stderr } = await tempehFlow(['start', 'full-training', '--config', 'famos', ...set], {
      TORCH_HOME: folder,
    });
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /trunk: file: found resnet34-b627a593\.pth; there is no such file here.*hub\/checkpoints.*torchvision.*b627a593bcbe140c.*layout\.template.*layout\.vertexMasks/s,
    );
  });

  test('the trunk is found where torchvision keeps it, looked at, and stored with the run', async () => {
    const cache = join(folder, 'torch/hub/checkpoints');
    await mkdir(cache, { recursive: true });
    await copyFile(trunk, join(cache, trunk.split('/').at(-1)!));
    const before = process.env['TORCH_HOME'];
    process.env['TORCH_HOME'] = join(folder, 'torch');
    try {
      const configuration = await imagenet(trunk.split('/').at(-1)!);
      const files = await findRunFiles(configuration, options);
      await storeRunFiles(files, 'heads', configuration);
      const { body } = await openStore(configuration.storage).get('runs/heads/coarse/trunk.safetensors');
      assert.ok(Object.keys(decodeModel(body, 'trunk')).every(isTrunkTensor));
      assert.deepEqual(notes, []);
      // Stored once, the file need not be here.
      const elsewhere = await imagenet('/nowhere/resnet34-b627a593.pth');
      assert.deepEqual(await findRunFiles(elsewhere, { ...options, run: 'heads' }), []);
      await assert.rejects(findRunFiles(elsewhere, { ...options, run: 'others' }), /resnet34-b627a593\.pth/);
      assert.deepEqual(await findRunFiles(elsewhere, { ...options, what: 'dataset' }), []);
    } finally {
      if (before === undefined) delete process.env['TORCH_HOME'];
      else process.env['TORCH_HOME'] = before;
    }
  });

  test('a damaged file, and one of other networks, are refused; a file without a hash in its name is noted', async () => {
    const damaged = join(folder, 'resnet34-b627a593.pth');
    await copyFile(trunk, damaged);
    const given = await imagenet(damaged);
    await assert.rejects(findRunFiles(given, options), /SHA-256 b627a593bcbe140c.*damaged, or another file/s);
    const wider = await configured(
      `model.coarse.trunk={kind: imagenet, file: ${trunk}}`,
      'model.coarse.featureNet.stemChannels=16',
      'model.refinement.featureNet.stemChannels=16',
    );
    await assert.rejects(findRunFiles(wider, options), /conv1\.weight/);
    const unnamed = join(folder, 'resnet34.pth');
    await copyFile(trunk, unnamed);
    assert.equal((await findRunFiles(await imagenet(unnamed), options)).length, 1);
    assert.match(notes.at(-1) ?? '', /resnet34\.pth has no digits/);
  });

  test('only the trunk of a published checkpoint is taken', async () => {
    const { model } = await configured();
    const file = join(folder, 'model_00000100.pth');
    const states = publishedStates(coarseLayout(model.coarse, vertexCount));
    await writePytorchFile(file, new Map([['model', writable(states)]]));
    const [found] = await findRunFiles(
      await configured(`model.coarse.trunk={kind: checkpoint, from: ${file}}`),
      options,
    );
    assert.ok(Object.keys(decodeModel(found!.bytes, 'trunk')).every(isTrunkTensor));
    const configuration = await configured('model.coarse.trunk={kind: checkpoint, from: base/coarse@100}');
    const store = openStore(configuration.storage);
    await importPublished({ store, run: 'base', configuration, file, stage: null, step: null, final: false });
    const [ofRun] = await findRunFiles(configuration, options);
    assert.deepEqual(decodeModel(ofRun!.bytes, 'trunk'), decodeModel(found!.bytes, 'trunk'));
    const nobody = await configured('model.coarse.trunk={kind: checkpoint, from: nobody}');
    await assert.rejects(findRunFiles(nobody, options), /Run nobody has no coarse checkpoint/);
  });

  test('a worker refuses a run without it, before anything is fetched', async () => {
    const configuration = await imagenet(trunk);
    const open = () => openStore(configuration.storage);
    await assert.rejects(checkAndStoreRun({ run: 'bare', configuration }, open), /trunk\.safetensors.*is not in/);
    await checkAndStoreRun({ run: 'bare', configuration, steps: ['dataset'] }, open);
    await checkAndStoreRun({ run: 'heads', configuration }, open);
  });
});

describe('template and vertex masks', () => {
  const head = (template: string) =>
    configured(
      `dataset.layout.template={file: ${template}}`,
      `dataset.layout.vertexMasks={file: ${join(folder, 'template/vertex_masks2.npz')}}`,
    );

  test('template and masks are looked at here, and are in the run’s store before a worker fetches', async () => {
    const obj = join(folder, 'template/sampling_template.obj');
    const mesh = parseObj(await readFile(obj, 'utf8'), obj);
    const ply = join(folder, 'template.ply');
    await writeFile(ply, formatPly(mesh));
    for (const [run, file] of [
      ['as-obj', obj],
      ['as-ply', ply],
    ] as const) {
      const configuration = await head(file);
      const store = openStore(configuration.storage);
      await assert.rejects(
        checkAndStoreRun({ run, configuration }, () => store),
        /There is no runs\/.*template\.obj.*tempeh-flow start uploads/,
      );
      await storeRunFiles(await findRunFiles(configuration, options), run, configuration);
      await checkAndStoreRun({ run, configuration }, () => store);
      const layout = await withLocalHead(store, run, configuration.dataset.layout, () => join(folder, 'worker', run));
      assert.ok(typeof layout.template === 'object' && 'file' in layout.template);
      const local = parseObj(await readFile(layout.template.file, 'utf8'), run);
      assert.equal(local.vertices.length, mesh.vertices.length);
      assert.ok(local.vertices.every((value, i) => Math.abs(value - mesh.vertices[i]!) < 1e-6));
      await proveHead('/nowhere', layout, ['training-data']);
    }
  });

  test('what a run has trained with is not written over by another start under its name', async () => {
    const obj = join(folder, 'template/sampling_template.obj');
    const configuration = await head(obj);
    const store = openStore(configuration.storage);
    const files = await findRunFiles(configuration, options);
    await storeRunFiles(files, 'kept', configuration);
    const other = files.map((file) => ({ ...file, bytes: Buffer.concat([file.bytes, Buffer.from('\n')]) }));
    await storeRunFiles(other, 'kept', configuration); // It has not trained: a template that was wrong is mended so.
    await storeRunFiles(files, 'kept', configuration);
    const fixture = {
      run: 'kept',
      stage: 'coarse-pretraining',
      attempt: 'one',
      configuration: plainConfiguration(),
    } as const;
    await (await CheckpointStore.claim(store, fixture)).save(saveOf(10));
    await storeRunFiles(files, 'kept', configuration);
    const key = files[0]!.key('kept');
    await assert.rejects(storeRunFiles(other, 'kept', configuration), /kept has trained with another file.*--run/);
    assert.deepEqual(Buffer.from((await store.get(key)).body), Buffer.from(files[0]!.bytes));
  });

  test('template or masks that are missing, or do not belong together, are reported at once', async () => {
    const missing = await head('/nowhere/template.obj');
    await assert.rejects(findRunFiles(missing, options), /layout\.template.*\/nowhere\/template\.obj.*--set/s);
    const other = temporaryFolder();
    await writeTemplate(generateHeadTemplate(220), other);
    const mixed = await configured(
      `dataset.layout.template={file: ${join(folder, 'template/sampling_template.obj')}}`,
      `dataset.layout.vertexMasks={file: ${join(other, 'template/vertex_masks2.npz')}}`,
    );
    await assert.rejects(findRunFiles(mixed, options), /a vertex below 150/);
  });

  test('template and masks on a data worker’s disk: those that no bundle brings are missed before the first byte is fetched', async () => {
    const { dataset } = await configured();
    await proveHead(folder, dataset.layout, ['training-data']);
    await proveHead('/nowhere', dataset.layout, ['training-data', 'template']);
    await assert.rejects(
      proveHead('/nowhere', dataset.layout, ['training-data']),
      /no \/nowhere\/template\/sampling_template\.obj on the data worker.*Nothing was fetched/,
    );
  });
});
