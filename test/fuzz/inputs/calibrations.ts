import fc, { type Arbitrary } from 'fast-check';
import { damaged, jsonLike, numbers, words } from './bytes.js';
import { yamlTokens } from './configurations.js';
import { asBytes, lineByLine } from './lines.js';

const openCv = `%YAML:1.0\n---\nimage_width: 640\nimage_height: 480\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   data: [ 500., 0., 320., 0., 500., 240., 0., 0., 1. ]\ndistortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: 5\n   dt: d\n   data: [ 0.1, 0., 0., 0., 0. ]\nR: [ 1, 0, 0, 0, 1, 0, 0, 0, 1 ]\nT: [ 0, 0, 1000 ]\n`;
const transforms = {
  camera_model: 'OPENCV',
  w: 640,
  h: 480,
  fl_x: 500,
  fl_y: 500,
  cx: 320,
  cy: 240,
  k1: 0.1,
  frames: [
    {
      file_path: 'a.png',
      transform_matrix: [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ],
    },
  ],
};
const panoptic = {
  calibDataSource: 'x',
  cameras: [
    {
      name: '00_A',
      type: 'vga',
      resolution: [640, 480],
      panel: 1,
      node: 1,
      K: [
        [500, 0, 320],
        [0, 500, 240],
        [0, 0, 1],
      ],
      distCoef: [0.1, 0, 0, 0, 0],
      R: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      t: [[0], [0], [100]],
    },
  ],
};
const xmlTokens = [
  '<document>',
  '</document>',
  '<chunk>',
  '<sensors>',
  '<sensor id="0" type="frame">',
  '</sensor>',
  '<calibration type="frame" class="adjusted">',
  '<f>500</f>',
  '<k1>',
  '</k1>',
  '<!--',
  '-->',
  '<?xml version="1.0"?>',
  '<![CDATA[',
  ']]>',
  '&amp;',
  '&#x1b;',
  '&x;',
  '<opencv_storage>',
  '<a',
  '/>',
  'x="1"',
  '"',
  ...numbers,
];

/** Calibrations of other programs. */
export const calibrations: Arbitrary<Buffer> = asBytes(
  fc.oneof(
    lineByLine(openCv, yamlTokens),
    jsonLike(transforms),
    jsonLike(panoptic),
    words(xmlTokens, ''),
    words(xmlTokens, '\n'),
  ),
);

/** COLMAP's text files; its binary ones begin with a count. */
export const colmapTexts: Arbitrary<Buffer> = asBytes(
  words(
    [
      '1',
      '2',
      'PINHOLE',
      'OPENCV',
      'OPENCV_FISHEYE',
      'a.png',
      '640 480 500 500 320 240',
      '1 0 0 0 0 0 1',
      '#',
      '\n',
      '\n',
      ...numbers,
    ],
    ' ',
  ),
);
export const colmapBinaries: Arbitrary<Buffer> = damaged(
  fc.tuple(fc.constantFrom(0, 1, 2, 2 ** 40), fc.array(fc.double(), { maxLength: 30 })).map(([count, list]) => {
    const bytes = Buffer.alloc(8 + 8 * list.length);
    bytes.writeBigUInt64LE(BigInt(count), 0);
    list.forEach((number, i) => bytes.writeDoubleLE(number, 8 + 8 * i));
    return bytes;
  }),
);
