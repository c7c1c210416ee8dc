import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { parseNpy } from '../../../datasets/formats/numpy/npy.js';
import { parseObj } from '../../../datasets/formats/meshes/obj.js';
import { parsePly } from '../../../datasets/formats/meshes/ply.js';
import { parseTka } from '../../../datasets/formats/tka.js';
import { decodeView } from '../../../datasets/images/decodeView.js';
import { coloursOf } from '../../../datasets/images/floatImage.js';
import { normalise } from '../../../datasets/images/normalise.js';
import { calibrationPath, framePath, imagePath } from '../../../datasets/layout.js';
import { meshInMillimetres } from '../../../datasets/reader/meshes.js';
import type { Batch, FrameId, SampleView } from '../../../datasets/types.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { goldenPath } from './golden.js';

const names = ['00_A', '00_B', '01_A', '01_B'];
export const goldenFrames: readonly FrameId[] = [
  { subject: 'subject_000', sequence: 'seq_a', frame: '000001' },
  { subject: 'subject_001', sequence: 'seq_a', frame: '000002' },
];

async function goldenView(frame: FrameId, name: string, resizeFactor: number): Promise<SampleView> {
  const file = goldenPath(`data/images/${imagePath(frame, name)}`);
  const tka = goldenPath(`data/calibrations/${calibrationPath(frame.subject, frame.sequence, name)}`);
  const calibration = parseTka(await readFile(tka, 'utf8'), tka);
  return decodeView({ name, file, bytes: await readFile(file), calibration }, resizeFactor);
}

/** The template, mm. */
export function goldenTemplate(): Mesh {
  const file = goldenPath('data/template.obj');
  return meshInMillimetres(parseObj(readFileSync(file, 'utf8'), file));
}

/** Vertices of a frame's mesh under `data/FOLDER`, mm. */
export function goldenVertices(folder: 'registrations' | 'predictions', frame: FrameId): Float32Array {
  const file = goldenPath(`data/${folder}/${framePath(frame, 'ply')}`);
  return meshInMillimetres(parsePly(readFileSync(file), file)).vertices;
}

/** The golden case's samples as the data loader hands them on: all views, not augmented. */
export async function goldenBatch(stage: 'coarse' | 'refinement', samples: number): Promise<Batch> {
  const frames = goldenFrames.slice(0, samples);
  const resizeFactor = stage === 'coarse' ? 8 : 4;
  const views = await Promise.all(
    frames.map((frame) => Promise.all(names.map((name) => goldenView(frame, name, resizeFactor)))),
  );
  const all = views.flat();
  const { width, height } = all[0]!.camera;
  const images = new Float32Array(all.length * height * width * 3);
  for (const [i, { image }] of all.entries()) images.set(coloursOf(image), i * image.length);
  normalise(images);
  const cameras = views.map((ofSample) => ofSample.map(({ camera }) => camera));
  const numbers = (of: (view: SampleView) => ArrayLike<number>): Float32Array =>
    Float32Array.from(all.flatMap((view) => Array.from(of(view))));
  const meshes = (folder: 'registrations' | 'predictions'): Float32Array =>
    Float32Array.from(frames.flatMap((frame) => Array.from(goldenVertices(folder, frame))));
  return {
    step: 0,
    frames,
    viewNames: frames.map(() => names),
    shape: { batch: samples, views: names.length, height, width },
    images,
    intrinsics: numbers(({ camera }) => camera.intrinsics),
    extrinsics: numbers(({ camera }) => camera.extrinsics),
    distortions: numbers(({ camera }) => camera.distortion),
    cameras,
    vertices: meshes('registrations'),
    scanPoints: frames.map((frame) => {
      const file = goldenPath(`data/scans/${framePath(frame, 'npy')}`);
      return Float32Array.from(parseNpy(readFileSync(file), file).data as ArrayLike<number>);
    }),
    coarseVertices: stage === 'refinement' ? meshes('predictions') : null,
  };
}
