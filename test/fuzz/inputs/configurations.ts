import fc, { type Arbitrary } from 'fast-check';
import { jsonLike, numbers, words } from './bytes.js';
import { fileOf, lineByLine } from './lines.js';

/** YAML's own signs, and what settings are made of. */
export const yamlTokens = [
  ...numbers,
  '-',
  '? ',
  ': ',
  '[',
  ']',
  '{',
  '}',
  '&a',
  '*a',
  '<<: *a',
  '!!set',
  '!!binary',
  '|',
  '>-',
  "'",
  '"',
  '#',
  '\t',
  '---',
  '...',
  '%YAML 1.1',
  'seed: 1',
  'seed',
  'null',
  '~',
  '@',
  '`',
];
const famos = fileOf('configs/famos.yaml');
const miniature = fileOf('configs/miniature.yaml');
const published = (JSON.parse(fileOf('test/configs/publishedOptions.json')) as { coarse: object }).coarse;

/** Configurations: ours line by line, a published one, and YAML's own signs in any order. */
export const configurations: Arbitrary<string> = fc.oneof(
  lineByLine(famos, yamlTokens),
  lineByLine(miniature, yamlTokens),
  jsonLike({ base: { gpu: '0' }, train: published }),
  words(yamlTokens, '\n'),
  words(yamlTokens, ' '),
  fc
    .tuple(fc.constantFrom('[', '{a: ', '- ', '? ', '&a ', '"', '!!str '), fc.nat(70_000))
    .map(([token, count]) => token.repeat(count)),
);

const settings = [
  'seed',
  'training.refinement.batchSize',
  'model.coarse.gridOrigin.2',
  'storage.kind',
  'dataset.name',
  '__proto__.x',
  'no.such',
  '',
];
export const overrides: Arbitrary<string[]> = fc.array(
  fc.tuple(fc.constantFrom(...settings), words(yamlTokens, ' ', 4)).map(([name, value]) => `${name}=${value}`),
  { maxLength: 2 },
);
