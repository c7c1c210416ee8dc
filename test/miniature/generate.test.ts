import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { findClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import { buildTriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import { cameraFromTka, parseTka } from '../../datasets/formats/tka.js';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { decodeImage } from '../../datasets/formats/images/image.js';
import { asFloat32, parseNpy } from '../../datasets/formats/numpy/npy.js';
import { parseNpz } from '../../datasets/formats/numpy/npz.js';
import { parseObj } from '../../datasets/formats/meshes/obj.js';
import { framePath } from '../../datasets/layout.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { generateMiniature } from '../../miniature/generate.js';
import {
  masksFile,
  splitFolders,
  templateFile,
  testSequenceFolders,
  testSubsetFolders,
} from '../../miniature/layout.js';
import { regionNames } from '../../datasets/vertexRegions.js';
import { miniatureSettings, type MiniatureSettings } from '../../miniature/settings.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const small = miniatureSettings('miniature', {
  vertexCount: 180,
  sensor: { width: 160, height: 120 },
  subjects: { train: 2, validation: 1, test: 1 },
  sequencesPerSubject: 2,
  framesPerSequence: { train: 2, validation: 1, test: 2 },
  scanPoints: 500,
  textureSize: 64,
});

const root = temporaryFolder();

async function generate(name: string, settings: MiniatureSettings, threads: number): Promise<string> {
  const directory = join(root, name);
  await generateMiniature(settings, directory, { threads });
  return directory;
}

/** Every file below a folder with its SHA-256. */
async function digests(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = new Map<string, string>();
  for (const file of files.sort()) {
    found.set(
      relative(directory, file),
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
  }
  return found;
}

const directory = await generate('first', small, 2);

test('the same settings give the same bytes, whatever the number of threads; another seed gives others', async () => {
  const first = await digests(directory);
  assert.deepEqual(await digests(await generate('again', small, 1)), first);
  const other = await digests(await generate('other', { ...small, seed: 2 }, 2));
  assert.deepEqual([...other.keys()], [...first.keys()]);
  for (const [file, digest] of first) {
    const shared = file.startsWith('template') || file.endsWith('.json');
    assert.equal(other.get(file) === digest, shared, file);
  }
});

describe('every frame of every list is complete', () => {
  for (const [split, frames] of [
    ['train', 8],
    ['validation', 2],
    ['test', 4],
  ] as const) {
    test(split, async () => {
      const folders = splitFolders[split];
      const list = parseDataList(await readFile(join(directory, folders.list), 'utf8'), folders.list);
      assert.equal(list.length, frames);
      const template = parseObj(await readFile(join(directory, templateFile), 'utf8'), templateFile);
      for (const id of list) {
        const place = `${id.subject}/${id.sequence}`;
        const calibrations = (await readdir(join(directory, folders.calibrations, place))).sort();
        assert.equal(calibrations.length, 12);
        for (const file of calibrations) {
          const name = file.replace('.tka', '');
          const text = await readFile(join(directory, folders.calibrations, place, file), 'utf8');
          const camera = cameraFromTka(parseTka(text, file), small.storedResizeFactor, name);
          const path = join(directory, folders.images, place, id.frame, `${id.sequence}.${id.frame}.${name}.png`);
          const image = await decodeImage(await readFile(path), path);
          assert.deepEqual([image.width, image.height], [camera.width, camera.height], path);
          assert.ok(new Set(image.data).size > 40, `${path} shows something`);
        }
        const scanFile = join(directory, folders.scans, framePath(id, 'npy'));
        const scan = parseNpy(await readFile(scanFile), scanFile);
        assert.deepEqual(scan.shape, [500, 3]);
        const registrationFile = join(directory, folders.registrations, framePath(id, 'ply'));
        const registration = parsePly(await readFile(registrationFile), registrationFile);
        assert.deepEqual(registration.faces, template.faces);

        // Scans are in mm, registrations in metres, and both of the same head: near, but not equal.
        const millimetres = { vertices: registration.vertices.map((m) => 1000 * m), faces: registration.faces };
        const { distances } = findClosestPoints(buildTriangleTree(millimetres), asFloat32(scan, scanFile));
        const mean = distances.reduce((sum, d) => sum + d, 0) / distances.length;
        assert.ok(mean > 0.05 && mean < 0.4, `scan to registration: ${mean} mm`);
      }
    });
  }
});

test('splits share no subject', async () => {
  const subjects = await Promise.all(
    (['train', 'validation', 'test'] as const).map(async (split) => {
      const file = splitFolders[split].list;
      const list = parseDataList(await readFile(join(directory, file), 'utf8'), file);
      return [...new Set(list.map(({ subject }) => subject))];
    }),
  );
  assert.deepEqual(
    subjects.map(({ length }) => length),
    [2, 1, 1],
  );
  assert.equal(new Set(subjects.flat()).size, 4);
});

test('template and masks are in metres and indices, as the published ones', async () => {
  const template = parseObj(await readFile(join(directory, templateFile), 'utf8'), templateFile);
  assert.equal(template.vertices.length, 3 * 180);
  assert.ok(template.vertices.every((value) => Math.abs(value) < 0.15));
  const masks = parseNpz(await readFile(join(directory, masksFile)), masksFile);
  assert.deepEqual([...masks.keys()], [...regionNames]);
  for (const { data } of masks.values()) assert.ok(data instanceof BigInt64Array && data.every((i) => i < 180n));
});

test('the smaller test bundles hold frames of the test set', async () => {
  for (const [folders, frames] of [
    [testSubsetFolders, 2],
    [testSequenceFolders, 2],
  ] as const) {
    const list = parseDataList(await readFile(join(directory, folders.list), 'utf8'), folders.list);
    assert.equal(list.length, frames);
    for (const { subject, sequence, frame } of list) {
      const place = `${subject}/${sequence}`;
      assert.equal((await readdir(join(directory, folders.images, place, frame))).length, 12);
      assert.equal((await readdir(join(directory, folders.calibrations, place))).length, 12);
    }
  }
});

test('generation stops when it is told to', async () => {
  const controller = new AbortController();
  const started = generateMiniature(small, join(root, 'stopped'), {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  await assert.rejects(started, /enough/);
});

test('settings that make no data set are refused with the reason', () => {
  assert.throws(() => miniatureSettings('miniature', { vertexCount: 100 }), /vertexCount is 100/);
  assert.throws(
    () => miniatureSettings('miniature', { vertices: 200 } as object),
    /there is no vertices; there are name, /,
  );
  assert.throws(() => miniatureSettings('miniature', { sensor: { width: 480, height: 640 } }), /expected landscape/);
  assert.throws(() => miniatureSettings('miniature', { sensor: { width: 641, height: 480 } }), /not a multiple of/);
});
