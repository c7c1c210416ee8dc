import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../datasets/formats/images/image.js';
import { jetColour } from '../../training/pictures/jetColours.js';
import { pictureRow, viewsToShow } from '../../training/pictures/pictureRow.js';
import { tinyData } from './stages/tinyStage.js';

const data = tinyData({ refinement: true });
const batch = await data.batch(0);
const { width, height } = batch.shape;
const camera = batch.cameras[0]![0]!;
const target = data.template.vertices;
const image = batch.images.subarray(0, width * height * 3);

test('jet runs from blue over green to red', () => {
  assert.deepEqual(jetColour(0), [0, 0, 0.5]);
  assert.deepEqual(jetColour(0.5), [0.5, 1, 0.5]);
  assert.deepEqual(jetColour(1), [0.5, 0, 0]);
  assert.deepEqual(jetColour(7), jetColour(1), 'errors beyond the scale have its last colour');
});

test('the same six views are shown every time', () => {
  assert.deepEqual(viewsToShow(16), viewsToShow(16));
  assert.equal(new Set(viewsToShow(16)).size, 6);
  assert.ok(viewsToShow(16).every((view) => view >= 0 && view < 16));
  assert.deepEqual(viewsToShow(3).toSorted(), [0, 1, 2]);
});

/** Colour at the middle of a panel, where the octahedron is, and at its corner, where it is not. */
async function panels(largestError: number, offset: number, coarse: Float32Array | null): Promise<number[][]> {
  const reconstruction = target.map((coordinate, i) => (i % 3 === 0 ? coordinate + offset : coordinate));
  const sample = { faces: data.template.faces, coarse, target, reconstruction };
  const row = await pictureRow('someone / laughing / 000123, view 01', image, camera, sample, largestError);
  const decoded = await decodeImage(row.png, 'row');
  assert.deepEqual([decoded.width, decoded.height], [row.width, row.height]);
  const count = coarse ? 5 : 4;
  const [side, top, bottom] = [8, 44, 36];
  const expected = [count * side * width, top + side * height + bottom];
  assert.deepEqual([row.width, row.height], expected, 'enlarged to 240 px a panel at least, with words and a scale');
  return Array.from({ length: count }, (_, panel) => {
    const x = (panel + 0.5) * side * width;
    const y = top + 0.5 * side * height;
    const at = 3 * (Math.floor(y) * row.width + Math.floor(x));
    return [...decoded.data.subarray(at, at + 3)];
  });
}

test('a row shows input, target, reconstruction, and the error on the target in colours', async () => {
  const [input, shown, reconstruction, error] = await panels(10, 10, null);
  const pixel = 3 * (Math.floor(height / 2) * width + width / 2);
  const mean = [0.485, 0.456, 0.406];
  const deviation = [0.229, 0.224, 0.225];
  const expected = mean.map((value, channel) => {
    const undone = image[pixel + channel]! * deviation[channel]! + value;
    return Math.round(255 * Math.min(1, Math.max(0, undone)));
  });
  assert.deepEqual(input, expected);
  for (const grey of [shown!, reconstruction!]) {
    assert.ok(grey[0]! > 50 && grey[0]! < 210 && grey[0] === grey[1] && grey[1] === grey[2], String(grey));
  }
  assert.ok(error![0]! > 3 * error![2]!, `the largest error is red, not ${error}`);
  const [, , , none] = await panels(10, 0, null);
  assert.ok(none![2]! > 3 * none![0]!, `no error is blue, not ${none}`);
});

test('refinement shows the coarse prediction as well', async () => {
  const elsewhere = target.map((coordinate) => coordinate + 1e5);
  const [, coarse, shown] = await panels(1, 0, elsewhere);
  assert.deepEqual(coarse, [255, 255, 255]);
  assert.notDeepEqual(shown, [255, 255, 255]);
});

test('a row names its frame, view and panels, and has the scale of its colours', async () => {
  const sample = { faces: data.template.faces, coarse: null, target, reconstruction: target };
  const draw = async (
    name: string,
    largest: number,
  ): Promise<{ width: number; height: number; at: (x: number, y: number) => number[] }> => {
    const row = await pictureRow(name, image, camera, sample, largest);
    const { data: pixels } = await decodeImage(row.png, 'row');
    return { ...row, at: (x, y) => [...pixels.subarray(3 * (y * row.width + x), 3 * (y * row.width + x) + 3)] };
  };
  const row = await draw('someone / laughing / 000123, view 01', 10);
  const panelWidth = row.width / 4;
  /** Dark pixels of a part, as letters have them. */
  const ink = ({ at }: typeof row, from: number, to: number, top: number, bottom: number): number => {
    let count = 0;
    for (let y = top; y < bottom; y++) for (let x = from; x < to; x++) if (Math.max(...at(x, y)) < 100) count++;
    return count;
  };
  assert.ok(ink(row, 0, row.width, 0, 24) > 300, 'its name');
  for (let panel = 0; panel < 4; panel++) {
    assert.ok(ink(row, panel * panelWidth, (panel + 1) * panelWidth, 24, 44) > 30, `the name of panel ${panel}`);
  }
  const bar = row.height - 36 + 9;
  const [least, middle, most] = [0.03, 0.5, 0.97].map((share) => row.at(Math.round((3 + share) * panelWidth), bar));
  assert.ok(least![2]! > 100 && least![0]! < 20 && middle![1]! > 200 && most![0]! > 100 && most![2]! < 20);
  assert.ok(ink(row, 3 * panelWidth, row.width, bar + 8, row.height) > 60, 'its ends in mm');
  const long = await draw(`${'a long name '.repeat(40)}/ 000123`, 10);
  assert.equal(long.width, row.width, 'a long name is cut, not the picture widened');
});
