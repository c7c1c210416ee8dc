import { rotationProblem } from '../../formats/rotationProblem.js';
import { describe, fieldOf, fieldsOf, isMap, neededField, numberOf, problem, type Fields } from '../fields/fields.js';
import { matrixOf } from '../fields/matrices.js';
import { cameraOfImage } from '../fields/names.js';
import type { OpencvCamera } from '../opencvCamera.js';
import { neededScale, type CalibrationDefaults } from '../options.js';
import { invertedPose, type Pose } from '../fields/pose.js';
import { isSide } from '../rigFile/readIntrinsics.js';
import { readLens, skipLens } from '../rigFile/readLens.js';
import { unreadFields, unreadNote } from '../rigFile/unreadFields.js';
import { oneOfEach, type CameraOfImage } from '../severalImages.js';

type Values = Readonly<Record<string, unknown>>;

/** Frames of a file. */
const mostFrames = 10_000;
/** Fields about how a NeRF is trained and rendered, not about cameras. */
const ofRendering =
  /^(?:aabb|applied_|offset|scale|up|white_|black_|from_na|n_extra|enable_|integer_|sharpen|ply_file|.*_file(?:path|_path)?$|.*_filenames$|sharpness|orientation_override|render_)/;

/** Whether a map is a `transforms.json` of NeRF, instant-ngp or nerfstudio. */
export function isTransformsJson(root: Values): boolean {
  const frames = root['frames'];
  return Array.isArray(frames) && frames.some((frame) => isMap(frame) && Object.hasOwn(frame, 'transform_matrix'));
}

/**
 * Reads `transforms.json`: intrinsics for all frames or in each; `transform_matrix` takes points of a camera (with OpenGL's
 * axes: y up, z backwards) to the world, whose unit has to be said.
 *
 * @throws FormatError
 */
export function readTransformsJson(root: Values, file: string, defaults: CalibrationDefaults): OpencvCamera[] {
  const { frames, ...shared } = root;
  const top = fieldsOf(file, '', root);
  const list = frames as readonly unknown[];
  if (list.length > mostFrames) throw problem(top, 'frames', `at most ${mostFrames}`, `${list.length}`);
  const scale = neededScale(file, defaults, null, 'the scale of a NeRF is arbitrary');
  const ignored = new Set(defaults.ignored);
  const unread = new Set<string>();
  const found = list.map((frame, i): CameraOfImage => {
    if (!isMap(frame)) throw problem(top, `frames[${i}]`, 'a frame', describe(frame));
    const kept = Object.entries({ ...shared, ...frame }).filter(([key]) => !ignored.has(key) && !ofRendering.test(key));
    const fields = fieldsOf(file, `frames[${i}]`, Object.fromEntries(kept));
    const path = neededField(fields, ['file_path'], 'the image');
    if (typeof path.value !== 'string') throw problem(fields, path.name, 'a path', describe(path.value));
    const camera = {
      name: cameraOfImage(path.value, file, `frames[${i}].file_path`, defaults),
      ...readOptics(fields, defaults),
      ...readPose(fields, scale),
    };
    for (const name of unreadFields(fields, defaults.undistorted === true)) unread.add(name);
    return { image: path.value, camera };
  });
  if (unread.size > 0) defaults.onNote?.(unreadNote(file, unread));
  if (Object.hasOwn(root, 'applied_transform') || Object.hasOwn(root, 'applied_scale')) {
    defaults.onNote?.(
      `${file}: the world is the one of the transform_matrix, after applied_transform and applied_scale.`,
    );
  }
  defaults.onNote?.(
    `${file}: principal points are moved by −0.5 px: transforms.json counts from the first pixel's corner.`,
  );
  return oneOfEach(found, file);
}

function readOptics(
  fields: Fields,
  defaults: CalibrationDefaults,
): Pick<OpencvCamera, 'imageSize' | 'focal' | 'principalPoint' | 'distortion'> {
  const number = (name: string): number | null => {
    const field = fieldOf(fields, [name]);
    return field && numberOf(fields, field);
  };
  const [width, height] = [number('w') ?? defaults.imageSize?.[0], number('h') ?? defaults.imageSize?.[1]];
  if (!isSide(width) || !isSide(height)) {
    throw problem(
      fields,
      '',
      'w and h in whole pixels (or --image-size)',
      `${width ?? 'no w'} and ${height ?? 'no h'}`,
    );
  }
  const [angleX, angleY] = [number('camera_angle_x'), number('camera_angle_y')];
  const ofAngle = (side: number, angle: number | null): number | null => angle && side / 2 / Math.tan(angle / 2);
  const fx = number('fl_x') ?? ofAngle(width, angleX);
  const fy = number('fl_y') ?? ofAngle(height, angleY) ?? fx;
  if (fx === null || fy === null || !(fx > 0 && fy > 0)) {
    throw problem(
      fields,
      '',
      'fl_x (and fl_y) above 0, or camera_angle_x',
      fx === null ? 'neither' : `${fx} and ${fy}`,
    );
  }
  return {
    imageSize: [width, height],
    focal: [fx, fy],
    // The middle of the first pixel is (0.5, 0.5); OpenCV's is (0, 0).
    principalPoint: [(number('cx') ?? width / 2) - 0.5, (number('cy') ?? height / 2) - 0.5],
    distortion: defaults.undistorted ? skipLens(fields) : readDistortion(fields),
  };
}

function readDistortion(fields: Fields): Float64Array {
  const lens = readLens(fields);
  // k1 k2 p1 p2 k3 are OpenCV's. From k4 on programs differ: a numerator's r⁸, a denominator's r², a fisheye's θ⁸.
  const further = lens.findIndex((value, i) => i > 4 && value !== 0);
  if (further < 0) return lens;
  const name = ['k4', 'k5', 'k6', 's1', 's2', 's3', 's4'][further - 5]!;
  throw problem(
    fields,
    name,
    'k1 k2 k3 p1 p2 alone: programs read further terms in different ways',
    `${lens[further]}`,
  );
}

function readPose(fields: Fields, scale: number): Pose {
  const field = neededField(fields, ['transform_matrix'], 'camera to world');
  const { rows, columns, data } = matrixOf(fields, field, 'camera to world, 4 × 4');
  if (columns !== 4 || (rows !== 3 && rows !== 4)) {
    throw problem(fields, field.name, 'camera to world, 4 × 4', `${rows} × ${columns}`);
  }
  // OpenGL's camera axes are x right, y up, z backwards.
  const rotation = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => (i % 4 === 0 ? data[i]! : -data[i]!));
  const found = rotationProblem(rotation);
  if (found !== null) throw problem(fields, field.name, 'a rotation matrix (orthonormal rows, determinant 1)', found);
  return invertedPose({ rotation, translation: [scale * data[3]!, scale * data[7]!, scale * data[11]!] });
}
