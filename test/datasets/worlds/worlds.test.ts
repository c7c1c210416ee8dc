import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { formatNpy, parseNpy, type NpyArray } from '../../../datasets/formats/numpy/npy.js';
import { formatObj, parseObj } from '../../../datasets/formats/meshes/obj.js';
import { formatPly, parsePly } from '../../../datasets/formats/meshes/ply.js';
import { checkDataset } from '../../../datasets/inspect/checkDataset.js';
import { inspectDirectory } from '../../../datasets/inspect/inspectDirectory.js';
import type { DatasetReport, InspectOptions } from '../../../datasets/inspect/types.js';
import { framePath, imagePath } from '../../../datasets/layout.js';
import { DatasetUnusable } from '../../../datasets/pack/errors.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import type { WorldFinding } from '../../../datasets/worlds/types.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { counterRandom } from '../../../geometry/random.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { copiedFolder, goldenDataset, goldenFrames } from '../reader/goldenFolder.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const options: InspectOptions = {
  dataset: { ...goldenDataset, name: 'golden', storedResizeFactor: 4, unusableFrames: 0 },
  viewKind: 'stereo',
  volume: { centre: [0, -50, 0], side: 800 },
};

async function check(folder: string): Promise<DatasetReport> {
  return checkDataset(await inspectDirectory(folder, options), null, options);
}

type Point = readonly [number, number, number];

async function withScans(context: TestContext, change: (...point: Point) => Point): Promise<string> {
  const folder = await copiedFolder();
  for (const id of goldenFrames) {
    const file = join(folder, 'scans', framePath(id, 'npy'));
    const array: NpyArray = parseNpy(await readFile(file), file);
    const points = Float32Array.from(array.data as ArrayLike<number>);
    for (let i = 0; i < points.length; i += 3) points.set(change(points[i]!, points[i + 1]!, points[i + 2]!), i);
    await writeFile(file, formatNpy({ shape: array.shape, data: points }));
  }
  return folder;
}

async function withRegistrations(context: TestContext, change: (mesh: Mesh) => Mesh): Promise<string> {
  const folder = await copiedFolder();
  for (const id of goldenFrames) {
    const file = join(folder, 'registrations', framePath(id, 'ply'));
    await writeFile(file, formatPly(change(parsePly(await readFile(file), file))));
  }
  return folder;
}

/** The one finding that every frame that was read has. */
function finding(report: DatasetReport, part: WorldFinding['part']): WorldFinding {
  assert.equal(report.usable, false);
  assert.equal(report.worlds.length, report.read.frames);
  for (const { findings } of report.worlds) {
    assert.deepEqual([...new Set(findings.map((each) => each.part))], [part], JSON.stringify(findings, null, 1));
  }
  assert.match(report.problems.join(), new RegExp(`${part} cannot be right`));
  return report.worlds[0]!.findings[0]!;
}

describe('a scan that is not where its registration is', () => {
  const cases: [string, (...point: Point) => Point, RegExp, RegExp][] = [
    ['in metres', (x, y, z) => [x / 1000, y / 1000, z / 1000], /if it was in metres/, /Multiply .* by 1000\./],
    ['in centimetres', (x, y, z) => [x / 10, y / 10, z / 10], /if it was in centimetres/, /Multiply .* by 10\./],
    [
      'moved by 1.5 m',
      (x, y, z) => [x + 1500, y, z],
      /if it was moved by \(-150\d, -?\d+, -?\d+\) mm/,
      /move the scans/,
    ],
    [
      'with y and z exchanged',
      (x, y, z) => [x, z, y],
      /if \(x, y, z\) was \(x, z, y\)/,
      /\(x, z, y\) of what they are/,
    ],
    [
      'lying on its back',
      (x, y, z) => [x, -z, y],
      /if \(x, y, z\) was \(-?x, z, -y\)/,
      /axes were exchanged or turned/,
    ],
  ];
  for (const [what, change, found, advice] of cases) {
    test(what, async (context) => {
      const { expected, ...rest } = finding(await check(await withScans(context, change)), 'scan');
      assert.match(rest.found, /^a scan of \d.* mm from the registration in the median/);
      assert.match(rest.found, found);
      assert.match(rest.advice, advice);
      assert.match(expected, /points in mm.*the registration is 1\d\d × 2\d\d × 1\d\d mm/);
      assert.match(rest.file ?? '', /seq_a\.00000\d\.npy$/);
    });
  }

  test('a scan that is not where its registration is: without a registration its own size and place decide', async (context) => {
    const { test: tested } = options.dataset.layout;
    const layout = { ...options.dataset.layout, test: { ...tested!, registrations: null } };
    const own = { ...options, dataset: { ...options.dataset, layout } };
    for (const [change, message] of [
      [(x, y, z) => [x / 1000, y / 1000, z / 1000], /looks like metres/],
      [(x, y, z) => [x, y + 900, z], /a scan of 1\d\d × .* about \(.*, 8\d\d, .*\)/],
    ] as [(...point: Point) => Point, RegExp][]) {
      const folder = await withScans(context, change);
      const report = await checkDataset(await inspectDirectory(folder, own), null, own);
      const lone = report.worlds.filter(({ split }) => split === 'test').flatMap(({ findings }) => findings);
      assert.equal(lone.length, 2);
      assert.match(lone[0]!.found, message);
    }
  });
});

describe('a registration that is not the template, moved', () => {
  test('a registration that is not the template, moved: in millimetres', async (context) => {
    const folder = await withRegistrations(context, (mesh) => ({
      ...mesh,
      vertices: mesh.vertices.map((v) => v * 1000),
    }));
    const { found, expected, advice } = finding(await check(folder), 'registration');
    assert.match(found, /a mesh of 1\d\d × 2\d\d × 1\d\d m about .*looks like millimetres/);
    assert.match(expected, /metres: the template is/);
    assert.equal(advice, 'Divide the vertices of the registrations by 1000.');
  });

  test('a registration that is not the template, moved: with its vertices in another order', async (context) => {
    const random = counterRandom(3, 'order');
    const folder = await withRegistrations(context, ({ vertices, faces }) => {
      const count = vertices.length / 3;
      const order = Array.from({ length: count }, (_, i) => [random.uniform(), i] as const).sort((a, b) => a[0] - b[0]);
      return { vertices: Float32Array.from(order.flatMap(([, i]) => [...vertices.subarray(3 * i, 3 * i + 3)])), faces };
    });
    const { found, advice } = finding(await check(folder), 'registration');
    assert.match(found, /edges \d.* times as long .*; \d\d % differ more than fourfold/);
    assert.match(advice, /in another order/);
  });

  test('a registration that is not the template, moved: with one face, or none', async (context) => {
    const one = await withRegistrations(context, ({ vertices, faces }) => ({ vertices, faces: faces.slice(0, 3) }));
    const { found, expected } = finding(await check(one), 'registration');
    assert.deepEqual([found, expected], ['1 triangle', "the template's 1280"]);
    const none = await withRegistrations(context, ({ vertices }) => ({ vertices, faces: new Uint32Array(0) }));
    const report = await check(none);
    assert.equal(report.usable, true);
    assert.deepEqual(
      report.worlds[0]!.findings.map(({ severity, found: words }) => [severity, words]),
      [['warning', 'no triangles']],
    );
  });
});

describe('what all frames share', () => {
  test('a template in millimetres', async () => {
    const folder = await copiedFolder();
    const file = join(folder, 'template.obj');
    const { vertices, faces } = parseObj(await readFile(file, 'utf8'), file);
    await writeFile(file, formatObj({ vertices: vertices.map((v) => v * 1000), faces }));
    const report = await check(folder);
    assert.equal(report.usable, false);
    const [shared] = report.shared;
    assert.match(shared!.found, /a mesh of 1\d\d × 2\d\d × 1\d\d m .*looks like millimetres/);
    assert.equal(shared!.advice, "Divide the template's vertices by 1000.");
    assert.match(report.problems.join(), /The template cannot be right/);
  });
});

describe('images that do not use their range', () => {
  const replace = async (context: TestContext, make: (grey: Buffer, width: number, height: number) => Sharp) => {
    const folder = await copiedFolder();
    for (const id of goldenFrames) {
      const file = join(folder, 'images', imagePath(id, '00_A'));
      const { data, info } = await sharp(await readFile(file))
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      await writeFile(file, await make(data, info.width, info.height).png().toBuffer());
    }
    return folder;
  };

  test('12 bits in 16', async (context) => {
    const folder = await replace(context, (grey, width, height) => {
      const values = Uint16Array.from(grey, (value) => 16 * value);
      return sharp(values, { raw: { width, height, channels: 1 } }).toColourspace('grey16');
    });
    const { found, expected } = finding(await check(folder), 'image');
    assert.match(found, /camera 00_A: 16-bit values of which the largest is \d{4}: these look like 12 bits in 16/);
    assert.match(expected, /values up to 65535/);
  });

  test('black', async (context) => {
    const folder = await replace(context, (grey, width, height) =>
      sharp(Buffer.alloc(grey.length), { raw: { width, height, channels: 1 } }),
    );
    assert.match(finding(await check(folder), 'image').found, /camera 00_A: black: values from 0 to 0 of 255/);
  });

  test('16 bits that are used are as they should be', async (context) => {
    const folder = await replace(context, (grey, width, height) => {
      const values = Uint16Array.from(grey, (value) => 257 * value);
      return sharp(values, { raw: { width, height, channels: 1 } }).toColourspace('grey16');
    });
    const report = await check(folder);
    assert.deepEqual([report.usable, report.worlds], [true, []]);
  });
});

describe('packing looks at some frames before it packs all', () => {
  const pack = async (context: TestContext, directory: string, worldChecks?: 'ignore') => {
    const { name, unusableFrames, ...rest } = options.dataset;
    const store = directoryStore(temporaryFolder());
    const configuration = { name, unusableFrames, ...rest, worldChecks };
    return { store, index: () => packDataset({ store, configuration, directory }) };
  };

  test('a mistake of all frames stops it, before anything is stored, with the way out', async (context) => {
    const folder = await withScans(context, (x, y, z) => [x, z, y]);
    const { store, index } = await pack(context, folder);
    await assert.rejects(index(), (error: unknown) => {
      assert.ok(error instanceof DatasetUnusable);
      assert.match(
        error.message,
        /^6 of 6 frames that were looked at .*the scan .*seq_a\.00000\d\.npy: found a scan of/,
      );
      assert.match(error.message, /\(x, z, y\).*dataset check --directory .*dataset\.worldChecks: ignore/);
      return true;
    });
    for await (const { key } of store.list('')) assert.fail(`${key} was stored`);
    const ignoring = await pack(context, folder, 'ignore');
    assert.equal((await ignoring.index()).counts.train, 2);
  });

  test('a template in millimetres stops it; a single odd frame does not', async (context) => {
    const folder = await copiedFolder();
    const file = join(folder, 'template.obj');
    const text = await readFile(file, 'utf8');
    const { vertices, faces } = parseObj(text, file);
    await writeFile(file, formatObj({ vertices: vertices.map((v) => v * 1000), faces }));
    const { index } = await pack(context, folder);
    await assert.rejects(index(), /the template .*template\.obj: found a mesh .*looks like millimetres/);
    await writeFile(file, text);
    const image = join(folder, 'images', imagePath(goldenFrames[0], '00_A'));
    const { width, height } = await sharp(await readFile(image)).metadata();
    const black = sharp({ create: { width, height, channels: 3, background: '#000' } });
    await writeFile(image, await black.png().toBuffer());
    assert.equal((await (await pack(context, folder)).index()).counts.train, 2);
  });
});
