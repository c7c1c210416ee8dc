import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { OrderedDictionary, type PythonValue } from '../../../datasets/formats/pytorch/pickleWriter.js';
import { writePytorchFile } from '../../../datasets/formats/pytorch/writePytorch.js';
import { refinementLayout } from '../../../model/parameters/parameterLayout.js';
import { PublishedCheckpointMismatch } from '../../../training/published/errors.js';
import { convertPublished } from '../../../training/published/importPublished.js';
import { readPublishedFile } from '../../../training/published/readPublished.js';
import { publishedStates, smallConfiguration, writable } from './publishedFixtures.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();
const configuration = await smallConfiguration(join(folder, 'store'));
const layouts = refinementLayout(configuration.model.refinement);
const states = publishedStates(layouts);

async function written(content: Map<string, PythonValue> | OrderedDictionary): Promise<string> {
  const file = join(folder, 'foreign.pth');
  await writePytorchFile(file, content);
  return file;
}

/** The state dict with each name changed. */
function named(rename: (name: string) => string): OrderedDictionary {
  return new OrderedDictionary(new Map([...writable(states).entries].map(([name, tensor]) => [rename(name), tensor])));
}

async function modelOf(file: string) {
  const published = await readPublishedFile(file);
  return { ...convertPublished(file, 'refinement', published, configuration), unused: published.unused };
}

test('names with what DataParallel, torch.compile, Lightning and other classes put before them are the same weights', async () => {
  const plain = await modelOf(await written(new Map([['model', writable(states)]])));
  const files: [Map<string, PythonValue> | OrderedDictionary, string[]][] = [
    [new Map([['model', named((name) => `module.${name}`)]]), []],
    [named((name) => `_orig_mod.${name}`), []],
    [new Map([['model', named((name) => `module._orig_mod.${name}`)]]), []],
    [new Map([['model', named((name) => name.replace('local_net.', 'local_net.module.'))]]), []],
    [
      new Map<string, PythonValue>([
        ['epoch', 3],
        ['state_dict', named((name) => `net._orig_mod.${name}`)],
        ['optimizer_states', []],
      ]),
      ['epoch', 'optimizer_states'],
    ],
    [new Map<string, PythonValue>([...writable(states).entries, ['step', 7]]), ['step']],
  ];
  for (const [content, unused] of files) {
    const found = await modelOf(await written(content));
    assert.deepEqual(found.unused, unused);
    assert.deepEqual(found.model, plain.model);
  }
});

test('weights under two names, of which one would have to be chosen, are refused', async () => {
  const twice = new OrderedDictionary(
    new Map([...named((name) => `net.${name}`).entries, ...named((name) => `ema.${name}`).entries]),
  );
  const refuses = (content: Map<string, PythonValue>, message: RegExp) =>
    assert.rejects(
      written(content).then((file) => readPublishedFile(file)),
      (error: unknown) => error instanceof FormatError && message.test(error.message),
    );
  await refuses(new Map([['state_dict', twice]]), /weights of one network, found those of 2, under "net\.", "ema\."/);
  const both = new Map<string, PythonValue>([
    ['model', writable(states)],
    ['state_dict', writable(states)],
  ]);
  await refuses(both, /one state dict, found two: "model", "state_dict"/);
  const wrapped = new OrderedDictionary(
    new Map([...writable(states).entries, ...named((name) => `module.${name}`).entries]),
  );
  await refuses(new Map([['model', wrapped]]), /each tensor once, without its prefix/);
});

test('a number that is none, an infinite one, a negative variance: refused by tensor and place', async () => {
  const variance = layouts.find(({ name }) => name.endsWith('running_var'))!.name;
  const weight = layouts.find(({ publishedShape }) => publishedShape.length === 4)!;
  const bias = layouts.find(({ name }) => name.endsWith('bias'))!.name;
  const broken = publishedStates(layouts);
  const values = (name: string): Float32Array => (broken.get(name) as { values: Float32Array }).values;
  values(variance)[1] = -1e-3;
  values(weight.name)[weight.publishedShape.at(-1)! + 1] = NaN;
  values(weight.name).fill(Infinity, -2);
  values(bias)[0] = -Infinity;
  const file = await written(new Map([['model', writable(broken)]]));
  await assert.rejects(modelOf(file), (error: unknown) => {
    assert.ok(error instanceof PublishedCheckpointMismatch, String(error));
    assert.equal(error.problems.length, 3, error.message);
    const text = error.problems.join('\n');
    assert.ok(text.includes(`${variance}[1] is -0.00100`), text);
    assert.ok(text.includes(`${weight.name}[0, 0, 1, 1] is NaN`) && text.includes('(3 of its'), text);
    assert.ok(text.includes(`${bias}[0] is -Infinity`), text);
    return true;
  });
});
