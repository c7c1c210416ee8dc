import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDatasetIndex, writeDatasetIndex } from '../../support/singleFileIndex.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import type { DatasetIndex, IndexedFrame, IndexedObject } from '../../../datasets/types.js';

const sha256 = 'a'.repeat(64);
const object = (key: string): IndexedObject => ({ key, size: key.length, sha256 });
const calibration = (sequence: string, camera: number) => object(`calibrations/S/${sequence}/${10 + camera}_A.tka`);

function frame(sequence: string, number: number, cameras: readonly number[]): IndexedFrame {
  const name = `S/${sequence}/${String(number).padStart(6, '0')}`;
  return {
    id: { subject: 'S', sequence, frame: String(number).padStart(6, '0') },
    images: object(`images/${name}.tar`),
    calibrations: cameras.map((camera) => calibration(sequence, camera)),
    scan: object(`scans/${name}.npy`),
    registration: null,
  };
}

function index(train: readonly IndexedFrame[], test: readonly IndexedFrame[]): DatasetIndex {
  return {
    version: 2,
    name: 'heads',
    storedResizeFactor: 4,
    imageExtension: 'png',
    vertexCount: 5,
    template: object('template.obj'),
    vertexMasks: object('vertex_masks.npz'),
    splits: { train, validation: [], test },
    unusable: [],
  };
}

const all = Array.from({ length: 24 }, (_, i) => i);

test('an index comes back as it was, frames that lack cameras included', () => {
  // The first frame has fewer cameras than the sequence.
  const train = [frame('Q', 1, [0, 2]), frame('Q', 2, all), frame('Q', 3, all.slice(1))];
  const made = index(train, [frame('R', 1, [3, 5]), frame('R', 2, [3, 5])]);
  assert.deepEqual(parseDatasetIndex(writeDatasetIndex(made), 'dataset.json'), made);
});

test('at 40 frames a sequence and 24 cameras it is a fifth of what it was, and lists are shared in memory', () => {
  const made = index(
    Array.from({ length: 40 }, (_, i) => frame('Q', i, all)),
    [],
  );
  const bytes = writeDatasetIndex(made);
  const old = JSON.stringify(made).length;
  assert.ok(5 * bytes.length < old, `${bytes.length} of ${old} bytes`);
  const [first, second] = parseDatasetIndex(bytes, 'dataset.json').splits.train;
  assert.equal(first?.calibrations, second?.calibrations);
});

test('the form of before, with calibrations by frame, is read on', () => {
  const old = { ...index([frame('Q', 1, all)], []), version: 1 as const };
  assert.deepEqual(parseDatasetIndex(Buffer.from(JSON.stringify(old)), 'dataset.json'), old);
});

test('a damaged index says where', () => {
  const bytes = writeDatasetIndex(index([frame('Q', 1, all), frame('Q', 2, [0])], []));
  const parse = (text: string) => () => parseDatasetIndex(Buffer.from(text), 'datasets/heads/dataset.json');
  const text = bytes.toString();
  assert.throws(parse(text.slice(0, -5)), /datasets\/heads\/dataset\.json/);
  assert.throws(parse(text.replace('"S/Q":', '"S/P":')), { name: 'FormatError', message: /S\/Q.*calibrations/ });
  assert.throws(parse(text.replace(/\["calibrations\/S\/Q\/10_A\.tka"\]/, '["calibrations/x"]')), /calibrations\/x/);
});

test('an index of another shape is refused with its field: above all keys and names that lead out of the data set', () => {
  const good = JSON.parse(writeDatasetIndex(index([frame('Q', 1, all)], [])).toString()) as Record<string, unknown>;
  const refuses = (change: object, field: RegExp): void => {
    const bytes = Buffer.from(JSON.stringify({ ...good, ...change }));
    assert.throws(
      () => parseDatasetIndex(bytes, 'datasets/heads/dataset.json'),
      (error) => error instanceof FormatError && field.test(error.where),
    );
  };
  for (const key of ['../x', '/etc/passwd', 'a//b', '', 'a/../b'])
    refuses({ template: object(key) }, /^template\.key$/);
  const { splits } = good as { splits: { train: Record<string, unknown>[] } };
  const [first] = splits.train;
  const withFrame = (change: object) => ({ splits: { ...splits, train: [{ ...first, ...change }] } });
  refuses(withFrame({ scan: { ...object('s.npy'), size: '1' } }), /^splits\.train\[0\]\.scan\.size$/);
  refuses(withFrame({ id: { subject: '..', sequence: 'Q', frame: '1' } }), /^splits\.train\[0\]\.id\.subject$/);
  refuses({ splits: { ...splits, test: null } }, /^splits\.test$/);
  refuses({ calibrations: { 'S/Q': [{ ...object('c'), sha256: 'short' }] } }, /^calibrations.*sha256$/);
});
