import type { Split } from '../datasets/types.js';

/** Settings of the miniature's generator: plain data. The same settings give the same bytes. */
export interface MiniatureSettings {
  readonly name: string;
  readonly seed: number;
  /** L of the generated template; 150 or more. FLAME's is 5023. */
  readonly vertexCount: number;
  /** How often every triangle is cut into four for the surface that is rendered and scanned. */
  readonly subdivisions: number;
  /** Size of a landscape sensor, px; a portrait camera's is turned. */
  readonly sensor: { readonly width: number; readonly height: number };
  /** Sensor pixels a stored pixel, each way (FaMoS stores a quarter). */
  readonly storedResizeFactor: number;
  /** Rendered pixels a stored pixel, each way, that anti-aliasing averages. */
  readonly supersampling: number;
  /** Pods around the head; each has the stereo views `_A`, `_B` and the colour view `_C`. */
  readonly pods: number;
  /** The stereo view that stands on its side. */
  readonly portraitView: string;
  /** FaMoS's stereo views are grey; colour tells a network that trains for minutes more. */
  readonly stereoViews: 'grey' | 'colour';
  readonly subjects: Readonly<Record<Split, number>>;
  readonly sequencesPerSubject: number;
  readonly framesPerSequence: Readonly<Record<Split, number>>;
  /** Points that are stored of each scan. */
  readonly scanPoints: number;
  /** Largest displacement of the head from the volume's centre, mm. */
  readonly displacement: number;
  /** Largest rotation about the vertical axis, degrees; nodding reaches 3/4, tilting 2/3 of it. */
  readonly rotation: number;
  /** Side of the square texture map of the skin, px. */
  readonly textureSize: number;
}

/** What `npm start` trains on: enough for minutes on two cores. */
const miniature: MiniatureSettings = {
  name: 'miniature',
  seed: 1,
  vertexCount: 320,
  subdivisions: 2,
  sensor: { width: 768, height: 640 },
  storedResizeFactor: 4,
  supersampling: 2,
  pods: 4,
  portraitView: '02_B',
  stereoViews: 'colour',
  // Many people, a frame of each sequence: what is learnt of a few does not hold for others.
  subjects: { train: 96, validation: 2, test: 4 },
  sequencesPerSubject: 3,
  framesPerSequence: { train: 1, validation: 2, test: 3 },
  scanPoints: 4000,
  displacement: 6,
  rotation: 4,
  textureSize: 256,
};

/** What `configs/workshop.yaml` trains on: an evening of a workstation, with the paper's range of poses. */
const workshop: MiniatureSettings = {
  name: 'workshop',
  seed: 1,
  vertexCount: 1000,
  subdivisions: 1,
  sensor: { width: 1280, height: 1024 },
  storedResizeFactor: 4,
  supersampling: 2,
  pods: 5,
  portraitView: '02_B',
  stereoViews: 'colour',
  subjects: { train: 160, validation: 4, test: 8 },
  sequencesPerSubject: 3,
  framesPerSequence: { train: 2, validation: 2, test: 4 },
  scanPoints: 20_000,
  displacement: 40,
  rotation: 20,
  textureSize: 768,
};

/** Frames of the published size, for benchmarks: few of them. */
const paperSize: MiniatureSettings = {
  name: 'paper-size',
  seed: 1,
  vertexCount: 5023,
  subdivisions: 1,
  sensor: { width: 1600, height: 1200 },
  storedResizeFactor: 4,
  supersampling: 2,
  pods: 8,
  portraitView: '05_B',
  stereoViews: 'grey',
  subjects: { train: 2, validation: 1, test: 1 },
  sequencesPerSubject: 1,
  framesPerSequence: { train: 4, validation: 1, test: 2 },
  scanPoints: 100_000,
  displacement: 70,
  rotation: 35,
  textureSize: 1024,
};

/** Data sets that the generator has settings for, by name. */
export const miniaturePresets = { miniature, workshop, paperSize } as const;

/** Name of a data set that the generator has settings for. */
export type MiniaturePreset = keyof typeof miniaturePresets;

/** The preset that a data set's name stands for; the miniature for any other. */
export function presetOf(dataset: string): MiniaturePreset {
  return Object.hasOwn(miniaturePresets, dataset) ? (dataset as MiniaturePreset) : 'miniature';
}

/** A preset with some values changed. Nested values (`subjects`, …) are replaced whole. */
export function miniatureSettings(
  preset: MiniaturePreset,
  changes: Partial<MiniatureSettings> = {},
): MiniatureSettings {
  const defaults = miniaturePresets[preset];
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(defaults, name));
  if (unknown !== undefined) {
    throw new RangeError(`miniature settings: there is no ${unknown}; there are ${Object.keys(defaults).join(', ')}`);
  }
  const settings = { ...defaults, ...changes };
  const problem = problemOf(settings);
  if (problem) throw new RangeError(`miniature settings: ${problem}`);
  return settings;
}

function problemOf(s: MiniatureSettings): string | undefined {
  if (s.vertexCount < 150) return `vertexCount is ${s.vertexCount}; a head needs 150 or more`;
  const { width, height } = s.sensor;
  if (width <= height) return `the sensor is ${width}×${height}; expected landscape (the portrait view turns it)`;
  const step = s.storedResizeFactor;
  if (width % step || height % step)
    return `the sensor ${width}×${height} is not a multiple of storedResizeFactor ${step}`;
  if (s.pods < 1) return `pods is ${s.pods}; expected 1 or more`;
  if (s.sequencesPerSubject < 1) return `sequencesPerSubject is ${s.sequencesPerSubject}; expected 1 or more`;
  return undefined;
}
