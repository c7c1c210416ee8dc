import { writeTar } from '../../datasets/formats/archives/tar.js';
import { encodePng } from '../../datasets/formats/images/image.js';
import { formatTka } from '../../datasets/formats/tka.js';
import { formatNpz } from '../../datasets/formats/numpy/npz.js';
import { formatNpy } from '../../datasets/formats/numpy/npy.js';
import { formatObj } from '../../datasets/formats/meshes/obj.js';
import { formatPly } from '../../datasets/formats/meshes/ply.js';
import type { DatasetIndex, FrameId, IndexedFrame } from '../../datasets/types.js';
import { regionNames } from '../../datasets/vertexRegions.js';
import { translated } from '../../evaluation/heads/rigidAlignment.js';
import { counterRandom } from '../../geometry/random.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { bumpyMesh } from '../geometry/meshes.js';

const head = bumpyMesh(12);

/**
 * Frames of each sequence of the test set: two people, whose sequences take turns in the list, the second of one person
 * longer than any shard of the tests.
 */
const sequences = [
  ['B', 'smile', 5],
  ['C', 'talk', 4],
  ['B', 'sing', 11],
  ['C', 'smile', 3],
] as const;
/** In the middle of a sequence: a scan, or a prediction, that is not there. */
const lacking = { scan: 'B/sing/000003', prediction: 'B/smile/000000' };

const nameOf = ({ subject, sequence, frame }: FrameId): string => `${subject}/${sequence}/${frame}`;

/** Test frames in the order of the data set's list: the sequences take turns. */
export const testFrames: readonly FrameId[] = Array.from({ length: 11 }, (_, at) =>
  sequences.flatMap(([subject, sequence, frames]): FrameId[] =>
    at < frames ? [{ subject, sequence, frame: String(at).padStart(6, '0') }] : [],
  ),
).flat();

/**
 * A data set whose heads move and change, its test set predicted by a run: 23 frames, of which two cannot be measured.
 *
 * @param points of each scan, at most: what measuring a frame takes.
 */
export async function storePredictedRun(
  store: ObjectStore,
  { dataset, runs, points = 300 }: { dataset: string; runs: readonly string[]; points?: number },
): Promise<void> {
  const root = keys.dataset(dataset);
  const put = async (path: string, body: Uint8Array) => {
    await store.put(`${root}/${path}`, body);
    return { key: path, size: body.length, sha256: '0'.repeat(64) };
  };
  // One for all: what reports draw over.
  const png = await encodePng({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 3).fill(90) });
  const images = await put('images.tar', writeTar([{ name: '01_C.png', bytes: png }]));
  const tka = formatTka({
    rotation: Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1),
    ...{ centre: [60, -50, 900], focalLength: 8, undistortion: [0, 0], skew: 0 },
    ...{ pixelSize: [0.06, 0.06], principalPoint: [64, 48], imageSize: [128, 96] },
  });
  const calibrations = [await put('calibrations/01_C.tka', Buffer.from(tka))];
  const ply = (vertices: Float32Array): Uint8Array =>
    formatPly({ vertices: vertices.map((millimetres) => millimetres / 1000), faces: head.faces });
  const shaped = (id: FrameId, purpose: string, deviation: number): Float32Array => {
    const random = counterRandom(3, `${purpose} ${nameOf(id)}`);
    const place = [Number(id.frame) * 3 + random.gaussian(), -40, random.gaussian()] as const;
    return translated(
      head.vertices.map((value) => value + deviation * random.gaussian()),
      place,
    );
  };
  const frame = async (id: FrameId, isTest: boolean): Promise<IndexedFrame> => {
    const { subject, sequence } = id;
    const truth = shaped(id, 'truth', 2);
    const random = counterRandom(4, nameOf(id));
    const scan = Float32Array.from({ length: 3 * points }, (_, i) => {
      return truth[i % truth.length]! + (i < truth.length ? 0 : random.gaussian());
    });
    const bytes = formatNpy({ shape: [points, 3], data: scan });
    const path = `${subject}/${sequence}/${sequence}.${id.frame}`;
    return {
      id,
      images,
      calibrations,
      scan: isTest && nameOf(id) !== lacking.scan ? await put(`scans/${path}.npy`, bytes) : null,
      registration: await put(`registrations/${path}.ply`, ply(truth)),
    };
  };
  const train: IndexedFrame[] = [];
  for (let i = 0; i < 6; i++) train.push(await frame({ subject: 'A', sequence: 'x', frame: `00000${i}` }, false));
  const test: IndexedFrame[] = [];
  for (const id of testFrames) test.push(await frame(id, true));
  const metres = { vertices: head.vertices.map((millimetres) => millimetres / 1000), faces: head.faces };
  const vertices = BigInt64Array.from({ length: 40 }, (_, i) => BigInt(i));
  const masks = formatNpz(new Map(regionNames.map((name) => [name, { shape: [40], data: vertices }])));
  const index: DatasetIndex = {
    ...{ version: 1, name: dataset, storedResizeFactor: 4, imageExtension: 'png', unusable: [] },
    vertexCount: head.vertices.length / 3,
    template: await put('template.obj', Buffer.from(formatObj(metres))),
    vertexMasks: await put('masks.npz', masks),
    splits: { train, validation: [], test },
  };
  await store.put(keys.datasetIndex(dataset), Buffer.from(JSON.stringify(index)));
  for (const run of runs) {
    for (const id of testFrames) {
      for (const stage of ['coarse', 'refinement'] as const) {
        if (stage === 'refinement' && nameOf(id) === lacking.prediction) continue;
        const predicted = shaped(id, stage, stage === 'coarse' ? 4 : 2.5);
        await store.put(`${keys.testPredictions(run, stage)}/${frameMeshPath(id)}`, ply(predicted));
      }
      const centre = [Number(id.frame), -40, 2];
      const localised = JSON.stringify({ centre, rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], scales: [1, 1, 1] });
      await store.put(`${keys.testPredictions(run, 'coarse')}/${frameLocaliserPath(id)}`, Buffer.from(localised));
    }
  }
}
