import { rotationAboutAxis } from '../../geometry/rotation.js';
import { eyeballRadius, features } from './headSurface.js';
import { Part, type HeadTemplate } from './headTemplate.js';
import { evaluateField } from './identities.js';
import { bump2, smoothStep } from './interpolation.js';

export const expressionNames = ['smile', 'pucker', 'browRaise', 'frown', 'lidsDown', 'cheekPuff'] as const;
export type ExpressionName = (typeof expressionNames)[number];

/** What a face does in a frame. */
export interface FaceState {
  /** 0 is neutral, 1 is full. */
  readonly expression: Readonly<Record<ExpressionName, number>>;
  /** Opening of the jaw, radians. */
  readonly jaw: number;
  /** Gaze to the subject's left and downwards, radians. */
  readonly gaze: readonly [number, number];
}

type Field = (x: number, y: number, z: number) => readonly [number, number, number];

/** Displacements of the full expression, mm. */
const expressionFields: Record<ExpressionName, Field> = {
  smile: (x, y, z) => {
    if (z < 20) return [0, 0, 0];
    const corner = bump2(Math.abs(x), y, features.mouthCorner, 18, 18);
    const cheek = bump2(Math.abs(x), y, [42, -18], 24, 22);
    return [Math.sign(x) * (12 * corner + 8 * cheek), 11 * corner + 10 * cheek, -5 * corner + 10 * cheek];
  },
  pucker: (x, y, z) => {
    if (z < 20) return [0, 0, 0];
    const at = bump2(x, y, features.mouth, 32, 22);
    return [-0.35 * x * at, 0, 13 * at];
  },
  browRaise: (x, y, z) => [0, z < 20 ? 0 : 11 * bump2(Math.abs(x) * 0.6, y, [16, 47], 30, 20), 0],
  frown: (x, y, z) => {
    if (z < 20) return [0, 0, 0];
    const brow = bump2(x, y, [0, 44], 32, 16);
    const corner = bump2(Math.abs(x), y, features.mouthCorner, 18, 18);
    return [-0.1 * x * brow, -6 * brow - 8 * corner, 2 * brow];
  },
  lidsDown: (x, y, z) => {
    const upper = z < 20 ? 0 : bump2(Math.abs(x), y, [32, 34], 17, 7);
    return [0, -6 * upper, 3 * upper];
  },
  cheekPuff: (x, y, z) => {
    const at = smoothStep(0, 40, z) * bump2(Math.abs(x), y, [42, -34], 24, 26);
    return [14 * Math.sign(x) * at, 0, 10 * at];
  },
};

const jawJoint = [-2, -4] as const; // y, z mm

/** How much of the jaw's rotation a point of the mean head takes part in. */
function jawWeight(x: number, y: number, z: number): number {
  const blend = 2.5 + 0.5 * Math.max(0, Math.abs(x) - 22);
  const belowMouth = smoothStep(features.mouth[1] + blend, features.mouth[1] - blend, y);
  return belowMouth * smoothStep(-15, 45, z) * smoothStep(-112, -84, y);
}

/** Everything per vertex that makes a face move; computed once a template. */
export interface FaceRig {
  readonly template: HeadTemplate;
  readonly expressions: Readonly<Record<ExpressionName, Float32Array>>;
  readonly jawWeights: Float32Array;
}

export function faceRig(template: HeadTemplate): FaceRig {
  const expressions = Object.fromEntries(
    expressionNames.map((name) => [name, evaluateField(template, expressionFields[name])]),
  ) as Record<ExpressionName, Float32Array>;
  // The eyeballs stay where they are in the skull, whatever the skin in front of them does.
  for (const values of Object.values(expressions)) {
    template.part.forEach((part, vertex) => {
      if (part !== Part.skin) values.fill(0, 3 * vertex, 3 * vertex + 3);
    });
  }
  const { vertices } = template.mesh;
  const jawWeights = Float32Array.from(template.part, (part, vertex) =>
    part === Part.skin ? jawWeight(vertices[3 * vertex]!, vertices[3 * vertex + 1]!, vertices[3 * vertex + 2]!) : 0,
  );
  return { template, expressions, jawWeights };
}

/** A head without expression: the mean shape with a subject's coefficients. `[L, 3]` mm */
export function neutralVertices(
  template: HeadTemplate,
  bases: readonly Float32Array[],
  coefficients: readonly number[],
): Float32Array {
  const vertices = Float32Array.from(template.mesh.vertices);
  bases.forEach((basis, k) => {
    const coefficient = coefficients[k] ?? 0;
    for (let i = 0; i < vertices.length; i++) vertices[i]! += coefficient * basis[i]!;
  });
  return vertices;
}

/** Moves a neutral head's face. @returns a new array, `[L, 3]` mm. */
export function expressFace(rig: FaceRig, neutral: Float32Array, face: FaceState): Float32Array {
  const vertices = Float32Array.from(neutral);
  for (const name of expressionNames) {
    const amount = face.expression[name];
    const field = rig.expressions[name];
    if (amount !== 0) for (let i = 0; i < vertices.length; i++) vertices[i]! += amount * field[i]!;
  }
  const [jointY, jointZ] = jawJoint;
  rig.jawWeights.forEach((weight, vertex) => {
    if (weight === 0 || face.jaw === 0) return;
    const cosine = Math.cos(face.jaw * weight);
    const sine = Math.sin(face.jaw * weight);
    const y = vertices[3 * vertex + 1]! - jointY;
    const z = vertices[3 * vertex + 2]! - jointZ;
    // About the x axis, the chin going down and back.
    vertices[3 * vertex + 1] = jointY + cosine * y - sine * z;
    vertices[3 * vertex + 2] = jointZ + sine * y + cosine * z;
  });
  turnEyeballs(rig.template, neutral, face.gaze, vertices);
  return vertices;
}

function turnEyeballs(
  template: HeadTemplate,
  neutral: Float32Array,
  gaze: readonly [number, number],
  vertices: Float32Array,
): void {
  const yaw = rotationAboutAxis([0, 1, 0], gaze[0]);
  const pitch = rotationAboutAxis([1, 0, 0], gaze[1]);
  for (const part of [Part.leftEyeball, Part.rightEyeball]) {
    const first = template.part.indexOf(part);
    const last = template.part.lastIndexOf(part);
    // The first vertex is the front pole: the centre lies a radius behind it.
    const [cx, cy, cz] = [neutral[3 * first]!, neutral[3 * first + 1]!, neutral[3 * first + 2]! - eyeballRadius];
    for (let i = 3 * first; i <= 3 * last; i += 3) {
      const [x, y, z] = [neutral[i]! - cx, neutral[i + 1]! - cy, neutral[i + 2]! - cz];
      const y2 = pitch[4]! * y + pitch[5]! * z;
      const z2 = pitch[7]! * y + pitch[8]! * z;
      vertices[i] = cx + yaw[0]! * x + yaw[2]! * z2;
      vertices[i + 1] = cy + y2;
      vertices[i + 2] = cz + yaw[6]! * x + yaw[8]! * z2;
    }
  }
}
