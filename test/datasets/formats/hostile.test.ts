import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { ConfigurationError } from '../../../configs/configurationError.js';
import { resolveConfiguration } from '../../../configs/load.js';
import { parseDataList } from '../../../datasets/formats/dataList.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { decodeImage, imageSize, openImage } from '../../../datasets/formats/images/image.js';
import { parseNpy } from '../../../datasets/formats/numpy/npy.js';
import { openNpz } from '../../../datasets/formats/numpy/npz.js';
import { parseObj } from '../../../datasets/formats/meshes/obj.js';
import { parsePly } from '../../../datasets/formats/meshes/ply.js';
import { readTar, writeTar } from '../../../datasets/formats/archives/tar.js';
import { parseTka } from '../../../datasets/formats/tka.js';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { imageRangeFindings } from '../../../datasets/worlds/imageRange.js';
import { parseDatasetIndex } from '../../support/singleFileIndex.js';

/** Files of less than a megabyte, each with what the error must say. None may take two seconds or 200 MB. */
interface Case {
  readonly name: string;
  readonly read: () => unknown;
  readonly message: RegExp;
}

function npyHeader(shape: string): Buffer {
  const text = Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }\n`);
  const head = Buffer.from('\x93NUMPY\x02\x00\x00\x00\x00\x00', 'latin1');
  head.writeUInt32LE(text.length, 8);
  return Buffer.concat([head, text]);
}

/** Two members whose records name the same bytes. */
function overlapping(): Buffer {
  const archive = writeZip([
    { name: 'a.npy', bytes: Buffer.alloc(1000, 1) },
    { name: 'b.npy', bytes: Buffer.alloc(1000, 2) },
  ]);
  const second = archive.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  archive.writeUInt32LE(0, second + 42);
  return archive;
}

const bomb = writeZip([
  { name: 'a.npy', bytes: Buffer.alloc(1 << 26) },
  { name: 'readme.txt', bytes: Buffer.alloc(1 << 26) },
]);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16000" height="16000"><filter id="f"><feGaussianBlur stdDeviation="500"/></filter><rect width="16000" height="16000" filter="url(#f)"/></svg>`;

/** A grey PNG of 1 bit a pixel: a few hundred bytes declare 16384 × 16384. */
function hugePng(): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 8, channels: 3, background: '#000' } })
    .png()
    .toBuffer()
    .then((png) => {
      png.writeUInt32BE(16_384, 16);
      png.writeUInt32BE(16_384, 20);
      return Buffer.concat([png, deflateSync(Buffer.alloc(1000))]);
    });
}

function tarOf(change: (header: Buffer) => void): Buffer {
  const tar = writeTar([
    { name: 'a', bytes: Buffer.from('x') },
    { name: 'b', bytes: Buffer.from('y') },
  ]);
  const header = tar.subarray(1024, 1536);
  change(header);
  header.fill(' ', 148, 156);
  header.write(
    header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0') + '\0 ',
    148,
    'latin1',
  );
  return tar;
}

const tka = ['#', '1 0 0', '0 1 0', '0 0 1'].join('\n');
const yaml = (text: string) => () => resolveConfiguration(text, 'run.yaml');
const letters = 'abcdefghi'.split('');

const cases: Case[] = [
  {
    name: 'npy: 30,000 axes',
    read: () => parseNpy(npyHeader(`(${'1, '.repeat(30_000)})`), 'x'),
    message: /header of at most 10000 bytes/,
  },
  { name: 'npy: 100 axes', read: () => parseNpy(npyHeader(`(${'1, '.repeat(100)})`), 'x'), message: /at most 64 axes/ },
  {
    name: 'npy: parts of a shape',
    read: () => parseNpy(npyHeader(`(${'1'.repeat(9000)}`), 'x'),
    message: /dictionary/,
  },
  { name: 'npz: members that share bytes', read: () => openNpz(overlapping(), 'x'), message: /bytes of its own/ },
  { name: 'npz: an array of gigabytes', read: () => openNpz(bomb, 'x').array('a'), message: /at most \d+ more bytes/ },
  {
    name: 'zip: a name that is not UTF-8',
    read: () => {
      const archive = writeZip([{ name: 'aé.npy', bytes: Buffer.alloc(1) }]);
      archive[archive.lastIndexOf(0xc3)] = 0xff;
      return openNpz(archive, 'x');
    },
    message: /a name in UTF-8/,
  },
  { name: 'obj: backslashes', read: () => parseObj('\\\n'.repeat(400_000), 'x'), message: /expected vertices/ },
  {
    name: 'obj: one statement of many lines',
    read: () => parseObj('v 1 \\\n'.repeat(160_000), 'x'),
    message: /a vertex "v x y z"/,
  },
  {
    name: 'obj: concave polygons of many corners',
    read: () => {
      const comb = Array.from({ length: 250 }, (_, i) => `v ${i} ${i % 2 === 0 ? 0 : 10} 0`).join('\n');
      const face = `f ${Array.from({ length: 250 }, (_, i) => i + 1).join(' ')}\n`;
      return parseObj(`${comb}\n${face.repeat(900)}f 1 2 999\n`, 'x');
    },
    message: /does not cross itself|one with vertex 999/,
  },
  {
    name: 'ply: a header of many elements',
    read: () => parsePly(Buffer.from(`ply\nformat ascii 1.0\n${'element a 1\n'.repeat(70_000)}end_header\n`), 'x'),
    message: /each element once/,
  },
  {
    name: 'tka: blanks without end',
    read: () => parseTka(`${tka}\nis = 4 4\nX = 1${' '.repeat(60_000)}1\n`, 'x'),
    message: /"X" with a number/,
  },
  { name: 'tka: a long file', read: () => parseTka('\n'.repeat(900_000), 'x'), message: /at most 65536 characters/ },
  {
    name: 'tar: names of another format',
    read: () =>
      readTar(
        tarOf((head) => (head[156] = 0x4c)),
        'x',
      ),
    message: /one of kind "L"/,
  },
  {
    name: 'tar: two files of one name',
    read: () =>
      readTar(
        tarOf((head) => head.write('a')),
        'x',
      ),
    message: /each name once/,
  },
  {
    name: 'data list: lists in lists',
    read: () => parseDataList(`[${'['.repeat(100_000)}${']'.repeat(100_000)}]`, 'x'),
    message: /entry 1|JSON/,
  },
  {
    name: 'data list: names that steer a terminal',
    read: () => parseDataList('[["a","b\\u009b2J","c"]]', 'x'),
    message: /entry 1: .*\\u009b2J/,
  },
  {
    name: 'index: null',
    read: () => parseDatasetIndex(Buffer.from('null'), 'x'),
    message: /the whole file: expected the index/,
  },
  {
    name: 'index: a frame that leaves the folder of predictions',
    read: () => {
      const object = { key: 'a', size: 1, sha256: 'a'.repeat(64) };
      const id = { subject: '../..', sequence: 'b', frame: 'c' };
      const frame = { id, images: object, scan: null, registration: null, calibrations: [] };
      const splits = { train: [frame], validation: [], test: [] };
      const head = { name: 'x', storedResizeFactor: 1, imageExtension: 'png', vertexCount: 0, template: null };
      const index = { version: 1, ...head, vertexMasks: null, unusable: [], splits };
      return parseDatasetIndex(Buffer.from(JSON.stringify(index)), 'x');
    },
    message: /splits\.train\[0\]\.id\.subject: .*a name that can be a folder/,
  },
  {
    name: 'image: a drawing',
    read: () => decodeImage(Buffer.from(svg), 'x.png'),
    message: /byte 0: expected an image \(PNG, JPEG, TIFF or WebP\), found .*<svg/,
  },
  { name: 'image: a drawing’s size', read: () => imageSize(Buffer.from(` ${svg}`), 'x.png'), message: /byte 0/ },
  {
    name: 'image: far more pixels than bytes',
    read: async () => decodeImage(await hugePng(), 'x.png'),
    message: /at most 16777216 pixels .*16384 × 16384 declared/,
  },
  {
    name: 'yaml: aliases of aliases',
    read: yaml(
      letters
        .map(
          (letter, i) =>
            `${letter}: &${letter} [${Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*${letters[i - 1]}`)).join(',')}]`,
        )
        .join('\n'),
    ),
    message: /^run\.yaml:2: .*aliases cannot be resolved/,
  },
  {
    name: 'yaml: an alias to what it is in',
    read: yaml('seed: 1\nmodel: &a\n  coarse: { gridSide: *a }\n'),
    message: /^run\.yaml:3: this alias stands for what it is a part of, which has no end/,
  },
  {
    name: 'yaml: 40,000 unknown keys',
    read: yaml(Array.from({ length: 40_000 }, (_, i) => `key${i}: 1`).join('\n')),
    message: /^run\.yaml:\d+: the file goes on for \d+ characters; expected at most/,
  },
  {
    name: 'yaml: 5,000 unknown keys',
    read: yaml(Array.from({ length: 5000 }, (_, i) => `key${i}: 1`).join('\n')),
    message: /run\.yaml:1: key0:.*no such setting.*run\.yaml:21: key20: .* nor for 4979 more names/s,
  },
  {
    name: 'yaml: lists in lists',
    read: yaml('['.repeat(60_000)),
    message: /^run\.yaml:1: expected at most 32 nested groups/,
  },
  {
    name: 'yaml: lists in lists in another way',
    read: yaml('- '.repeat(30_000)),
    message: /^run\.yaml:1: expected at most 32 nested groups/,
  },
  {
    name: 'yaml: a setting twice',
    read: yaml('seed: 1\nprecision: float32\nseed: 2\n'),
    message: /^run\.yaml:3: seed: this setting is given twice/,
  },
  {
    name: 'yaml: a long name',
    read: yaml(`${'x'.repeat(60_000)}: 1\n`),
    message: /^run\.yaml:1: .*at most 1024 chars/,
  },
  {
    name: 'yaml: errors without end',
    read: yaml('a: @\n'.repeat(12_000)),
    message: /^run\.yaml:1: this is not readable as YAML/,
  },
];

const start = process.resourceUsage().maxRSS;

for (const { name, read, message } of cases) {
  test(name, async () => {
    const before = process.cpuUsage();
    await assert.rejects(
      async () => read(),
      (error: unknown) => {
        assert.ok(error instanceof FormatError || error instanceof ConfigurationError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.length < 4000 && !/\p{Cc}/u.test(error.message.replaceAll('\n', '')));
        return true;
      },
    );
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 2e6, `${(user + system) / 1e6} s of processor time`);
  });
}

test('image: texts that inflate to gigabytes, which nobody reads, cost nothing', async () => {
  const small = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#808080' } })
    .png()
    .toBuffer();
  const chunk = Buffer.concat([Buffer.from('....zTXtx\0\0'), deflateSync(Buffer.alloc(7_000_000)), Buffer.alloc(4)]);
  chunk.writeUInt32BE(chunk.length - 12, 0);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  const header = 33;
  const texts = Array.from({ length: 120 }, () => chunk);
  const png = Buffer.concat([small.subarray(0, header), ...texts, small.subarray(header)]);
  const before = process.cpuUsage();
  assert.deepEqual(await imageSize(png, 'x.png'), { width: 80, height: 60 });
  assert.equal((await (await openImage(png, 'x.png')).stats()).channels.length, 3);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1e6, `${(user + system) / 1e6} s of processor time`);
});

test('a drawing is no image for the range of values either', async () => {
  await assert.rejects(imageRangeFindings(Buffer.from(svg), 'x.png', 'a'), FormatError);
  await assert.rejects(imageRangeFindings(await hugePng(), 'x.png', 'a'), FormatError);
});

test('hostile files are refused within 200 MB of memory', () => {
  const grown = (process.resourceUsage().maxRSS - start) / 1024;
  assert.ok(grown < 200, `${Math.round(grown)} MB`);
});
