import { counterRandom } from '../../geometry/random.js';
import { rotationAboutAxis } from '../../geometry/rotation.js';
import { multiply3x3 } from '../../geometry/cameras/camera.js';
import { expressionNames, type ExpressionName, type FaceState } from '../head/expressions.js';
import type { MiniatureSettings } from '../settings.js';

/** The middle of the capture volume, world mm (the origin of the coarse model's voxel grid, method 2.2). */
export const volumeCentre = [0, -50, 0] as const;

/** A head in a frame: what its face does, and where it is. */
export interface FrameState extends FaceState {
  /** Head to world, `[3, 3]` row-major. */
  readonly rotation: Float64Array;
  /** Where the head's origin is in the world, mm. */
  readonly position: readonly [number, number, number];
}

/** The sequences that subjects are asked for: what is done fully in each. */
export const sequenceKinds: Readonly<Record<string, Partial<Record<ExpressionName | 'jaw', number>>>> = {
  mouth_open: { jaw: 1 },
  smile: { smile: 1, jaw: 0.8 },
  eyebrow: { browRaise: 1, lidsDown: 0.4, jaw: 1 },
  head_rotation: { jaw: 0.8 },
  speech: { jaw: 1, pucker: 1 },
  cheeks_in_anger: { frown: 1, cheekPuff: 1, jaw: 0.7 },
};

const largestJawAngle = 0.6;

/**
 * The state at a moment of a sequence: smooth in time, different in each sequence of each subject.
 *
 * @param subject @param sequence numbers in the data set and of the subject. @param time from 0 to 1.
 */
export function frameState(
  settings: MiniatureSettings,
  subject: number,
  sequence: number,
  kind: string,
  time: number,
): FrameState {
  const random = counterRandom(settings.seed, 'motion', subject, sequence);
  /** A slow oscillation within ±1. @param least of what it may reach. */
  const wave = (least = 0.6): number => {
    const phase = random.uniform();
    const cycles = 0.6 + 0.8 * random.uniform();
    const share = least + (1 - least) * random.uniform();
    return share * Math.sin(2 * Math.PI * (cycles * time + phase));
  };
  const yaw = settings.rotation * wave();
  const pitch = 0.75 * settings.rotation * wave();
  const roll = 0.66 * settings.rotation * wave();
  const offset = [wave(), wave(), wave()].map((value) => (settings.displacement / Math.sqrt(2)) * value);
  // Up and down is what a sitting person does least.
  const [dx, dy, dz] = [offset[0]!, 0.7 * offset[1]!, offset[2]!];
  const norm = Math.hypot(dx, dy, dz);
  const shrink = norm > settings.displacement ? settings.displacement / norm : 1;

  const main = sequenceKinds[kind] ?? {};
  const amount = (name: ExpressionName | 'jaw'): number => {
    const most = main[name] ?? 0;
    const background = 0.25 * Math.max(0, wave());
    // From next to nothing to all of it.
    return Math.max(background, most * (0.5 + 0.5 * wave(0.85)));
  };
  const expression = Object.fromEntries(expressionNames.map((name) => [name, amount(name)])) as Record<
    ExpressionName,
    number
  >;
  const rotations = [
    rotationAboutAxis([0, 1, 0], radians(yaw)),
    rotationAboutAxis([1, 0, 0], radians(pitch)),
    rotationAboutAxis([0, 0, 1], radians(roll)),
  ] as const;
  return {
    expression,
    jaw: largestJawAngle * amount('jaw'),
    gaze: [0.3 * wave(), 0.2 * wave()],
    rotation: multiply3x3(rotations[0], multiply3x3(rotations[1], rotations[2])),
    position: [volumeCentre[0] + shrink * dx, volumeCentre[1] + shrink * dy, volumeCentre[2] + shrink * dz],
  };
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Puts a head's vertices into the world. `[L, 3]` mm; a new array. */
export function toWorld(vertices: Float32Array, { rotation: r, position }: FrameState): Float32Array {
  const world = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const [x, y, z] = [vertices[i]!, vertices[i + 1]!, vertices[i + 2]!];
    for (let axis = 0; axis < 3; axis++) {
      world[i + axis] = r[3 * axis]! * x + r[3 * axis + 1]! * y + r[3 * axis + 2]! * z + position[axis]!;
    }
  }
  return world;
}
