import { quoted } from '../../formats/formatError.js';
import { rotationProblem } from '../../formats/rotationProblem.js';
import { describe, fieldOf, fieldsOf, isMap, neededField, problem, type Field, type Fields } from '../fields/fields.js';
import { matrixOf } from '../fields/matrices.js';
import { isCameraName } from '../fields/names.js';
import { distortionTerms, type OpencvCamera } from '../opencvCamera.js';
import { neededScale, type CalibrationDefaults } from '../options.js';
import { otherLens } from '../fields/otherLens.js';
import { composed, type Pose } from '../fields/pose.js';
import { isSide } from '../rigFile/readIntrinsics.js';
import { unreadFields, unreadNote } from '../rigFile/unreadFields.js';

type Values = Readonly<Record<string, unknown>>;

/** Whether a map is a camera chain of Kalibr: `cam0`, `cam1`, …, each with a `camera_model`. */
export function isKalibr(root: Values): boolean {
  const cameras = Object.entries(root).filter(([name]) => /^cam\d+$/.test(name));
  return cameras.length > 0 && cameras.some(([, value]) => isMap(value) && Object.hasOwn(value, 'camera_model'));
}

/**
 * Reads a camera chain of Kalibr (`camchain-….yaml`). The world is that of the first camera; `T_cn_cnm1` takes points of the
 * camera before to a camera. Metres, if nothing else is said.
 *
 * @throws FormatError
 */
export function readKalibr(root: Values, file: string, defaults: CalibrationDefaults): OpencvCamera[] {
  const ignored = new Set(defaults.ignored);
  const top = fieldsOf(file, '', root);
  const entries = Object.entries(root).filter(([name]) => /^cam\d+$/.test(name));
  entries.sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)));
  const scale = neededScale(file, defaults, 'm', 'Kalibr has metres');
  const unread = new Set(Object.keys(root).filter((name) => !/^cam\d+$/.test(name)));
  let pose: Pose = { rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: [0, 0, 0] };
  const cameras = entries.map(([name, value], i): OpencvCamera => {
    if (!isMap(value)) throw problem(top, name, 'a camera', describe(value));
    const kept = Object.fromEntries(Object.entries(value).filter(([key]) => !ignored.has(key)));
    const fields = fieldsOf(file, name, kept);
    if (name !== `cam${i}`) {
      // `T_cn_cnm1` is from the camera before, which is not here.
      throw problem(top, name, `cam${i}, for cameras are numbered from 0 on without a gap`, quoted(name));
    }
    if (i > 0) pose = composed(readStep(fields, scale), pose);
    const camera = readCamera(fields, name, pose, defaults);
    for (const other of unreadFields(fields, defaults.undistorted === true)) unread.add(other);
    return camera;
  });
  for (const known of ['cam_overlaps', 'rostopic', 'timeshift_cam_imu', 'T_cam_imu', 'T_cn_cnm1']) unread.delete(known);
  if (unread.size > 0) defaults.onNote?.(unreadNote(file, unread));
  defaults.onNote?.(`${file}: the world is that of ${entries[0]![0]}: move it to the head with --origin and --axes.`);
  return cameras;
}

function readCamera(fields: Fields, named: string, pose: Pose, defaults: CalibrationDefaults): OpencvCamera {
  const topic = fieldOf(fields, ['rostopic']);
  const fromTopic = typeof topic?.value === 'string' ? defaults.cameraName?.exec(topic.value)?.[1] : undefined;
  const name = fromTopic ?? named;
  if (!isCameraName(name))
    throw problem(fields, 'rostopic', 'a name of letters, digits, dashes and underscores', describe(name));
  const model = neededField(fields, ['camera_model'], 'the camera model');
  if (model.value !== 'pinhole') throw otherLens(fields, model.name, model.value);
  const resolution = neededField(fields, ['resolution'], 'the image size');
  const [width, height, ...more] = matrixOf(fields, resolution, 'width and height').data;
  if (!isSide(width) || !isSide(height) || more.length > 0) {
    throw problem(fields, resolution.name, 'width and height in whole pixels', describe(resolution.value));
  }
  const intrinsics = neededField(fields, ['intrinsics'], 'fx fy cx cy');
  const [fx, fy, cx, cy, ...further] = matrixOf(fields, intrinsics, 'fx fy cx cy').data;
  if (!(fx! > 0 && fy! > 0) || cy === undefined || further.length > 0) {
    throw problem(fields, intrinsics.name, 'fx fy cx cy, fx and fy above 0', describe(intrinsics.value));
  }
  const distortion = readDistortion(fields, defaults.undistorted === true);
  return { name, imageSize: [width, height], focal: [fx!, fy!], principalPoint: [cx!, cy], distortion, ...pose };
}

function readDistortion(fields: Fields, undistorted: boolean): Float64Array {
  const distortion = new Float64Array(distortionTerms);
  const coefficients = fieldOf(fields, ['distortion_coeffs']);
  const model = fieldOf(fields, ['distortion_model']);
  if (undistorted || (!model && !coefficients) || model?.value === 'none') return distortion;
  if (model?.value !== 'radtan') throw otherLens(fields, 'distortion_model', model?.value ?? 'nothing');
  const { data } = matrixOf(fields, coefficients ?? { name: 'distortion_coeffs', value: null }, 'k1 k2 p1 p2');
  if (data.length !== 4) throw problem(fields, 'distortion_coeffs', 'k1 k2 p1 p2', `${data.length} numbers`);
  distortion.set(data);
  return distortion;
}

/** From the camera before to this one, mm. */
function readStep(fields: Fields, scale: number): Pose {
  const field: Field = neededField(fields, ['T_cn_cnm1'], 'the transform from the camera before');
  const { rows, columns, data } = matrixOf(fields, field, 'a transform, 4 × 4');
  if (rows !== 4 || columns !== 4 || data.slice(12).join() !== '0,0,0,1') {
    throw problem(fields, field.name, 'a transform, 4 × 4, with a last row of 0 0 0 1', `${rows} × ${columns}`);
  }
  const rotation = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => data[i]!);
  const found = rotationProblem(rotation);
  if (found !== null) throw problem(fields, field.name, 'a rotation matrix (orthonormal rows, determinant 1)', found);
  return { rotation, translation: [scale * data[3]!, scale * data[7]!, scale * data[11]!] };
}
