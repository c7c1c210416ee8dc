import { FormatError, quoted } from '../../formats/formatError.js';
import { isCameraName } from '../fields/names.js';
import { hasIntrinsics } from './readIntrinsics.js';
import { isMap } from '../fields/fields.js';
import { coefficientNames, names } from './names.js';

type Values = Readonly<Record<string, unknown>>;

/** Names that, with a camera's behind them, are fields of that camera: `M1`, `dist_left`, `K_cam3`; by what they are. */
const stems = {
  camera_matrix: ['cameraMatrix', 'camera_matrix', 'CameraMatrix', 'intrinsic_matrix', 'mtx', 'K', 'M'],
  distortion_coefficients: ['distCoeffs', 'dist_coeffs', 'distortion_coefficients', 'distortion', 'dist', 'D'],
  // EasyMocap has a matrix as Rot, and the same as a vector as R.
  rotation: ['Rot', 'rotation', 'R', 'rvec'],
  translation: ['translation', 'T', 't', 'tvec'],
  image_size: ['imageSize', 'image_size', 'size'],
  image_width: ['image_width', 'width', 'W'],
  image_height: ['image_height', 'height', 'H'],
} as const;
type Role = keyof typeof stems;
const roles = Object.keys(stems) as Role[];
const plainNames = new Set<string>([...Object.values(names).flat(), ...coefficientNames]);
/** Without a line between name and camera, these are cameras; else any name is. */
const shortNames = /^(?:\d+|left|right|l|r)$/i;
/** What stereo rectification leaves beside a pair. */
const ofRectification = ['R1', 'R2', 'P1', 'P2', 'Q'];

interface SuffixedField {
  readonly role: Role;
  /** How specific the name is: of two fields of one role the lower one counts. */
  readonly rank: number;
  readonly camera: string;
  readonly name: string;
}

/**
 * Whether a map has cameras, or parts of them, whose fields carry the camera's name: of a stereo pair, as OpenCV's sample
 * writes it (M1, D1, M2, D2; R, T), or of a rig (K_NAME, dist_NAME, R_NAME, T_NAME).
 */
export function isSuffixed(values: Values): boolean {
  if (hasIntrinsics(values) || Object.values(values).some((value) => isMap(value) && hasIntrinsics(value)))
    return false;
  if (Object.hasOwn(values, 'cameras')) return false;
  return suffixedFields(values).some(({ role }) => role === 'camera_matrix') || isPoses(values);
}

/** Poses alone, whose lenses are in another file. */
function isPoses(values: Values): boolean {
  const hasPair = ['R', 'T'].every((name) => Object.hasOwn(values, name));
  const fields = suffixedFields(values);
  const posed = fields.filter(({ role }) => role === 'rotation').map(({ camera }) => camera);
  const isRig = posed.some((camera) => fields.some((field) => field.role === 'translation' && field.camera === camera));
  return isRig || (hasPair && ofRectification.some((name) => Object.hasOwn(values, name)));
}

/**
 * Fields that carry cameras' names as a rig file has them: `cameras`, a map by name. A pair with one R and T has its world in
 * the first camera; others are world to camera, as OpenCV has them.
 *
 * @param file human-readable: the file, or the files whose fields these are.
 * @returns the map, and what the user should know about it.
 * @throws FormatError if lenses or poses are missing
 */
export function rigOfSuffixed(values: Values, file: string): { readonly rig: Values; readonly notes: string[] } {
  const found = suffixedFields(values);
  const cameras = [...new Set(found.filter(({ role }) => role === 'camera_matrix').map(({ camera }) => camera))];
  const isPair = cameras.length === 2 && ['R', 'T'].every((name) => Object.hasOwn(values, name));
  const own = (camera: string, role: Role): SuffixedField | undefined =>
    found.filter((field) => field.camera === camera && field.role === role).sort((a, b) => a.rank - b.rank)[0];
  if (cameras.length === 0) {
    const expected =
      'the camera matrices as well (M1, D1, M2, D2; K_NAME, dist_NAME): name the file that has them, too';
    throw new FormatError({ file, expected, found: namesOf(values) });
  }
  const poseless = isPair
    ? undefined
    : cameras.find((camera) => !own(camera, 'rotation') || !own(camera, 'translation'));
  if (poseless !== undefined) {
    const expected =
      `the pose of camera ${poseless} as well (R and T of a pair; R_${poseless} and T_${poseless} of a rig): ` +
      'name the file that has it, too';
    throw new FormatError({ file, expected, found: namesOf(values) });
  }
  cameras.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const used = new Set<string>(isPair ? ['R', 'T'] : []);
  const map: Record<string, unknown> = {};
  for (const [i, camera] of cameras.entries()) {
    const fields: Record<string, unknown> = { extrinsics: 'world-to-camera' };
    for (const role of roles) {
      const isPose = role === 'rotation' || role === 'translation';
      const field = isPair && isPose ? undefined : own(camera, role);
      if (field) fields[role] = values[field.name];
      if (field || !isPair)
        for (const { name } of found.filter((f) => f.camera === camera && f.role === role)) used.add(name);
    }
    if (isPair) Object.assign(fields, i === 0 ? firstOfPair : { rotation: values['R'], translation: values['T'] });
    map[camera] = fields;
  }
  const others = Object.entries(values).filter(([name]) => !used.has(name) && name !== 'names');
  const notes = isPair
    ? [
        `${file}: a stereo pair: cameras ${cameras.join(' and ')}, called as its fields; the world is that of ` +
          `${cameras[0]}: move it to the head with --origin and --axes.`,
      ]
    : [];
  return { rig: { ...Object.fromEntries(others), cameras: map }, notes };
}

const firstOfPair = { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0, 0, 0] } as const;

function suffixedFields(values: Values): SuffixedField[] {
  return Object.keys(values).flatMap((name) => {
    const field = suffixedField(name);
    return field ? [field] : [];
  });
}

function suffixedField(name: string): SuffixedField | null {
  if (plainNames.has(name)) return null;
  for (const role of roles) {
    for (const [rank, stem] of stems[role].entries()) {
      if (!name.startsWith(stem)) continue;
      const rest = name.slice(stem.length);
      const camera = cameraOf(rest.startsWith('_') ? rest.slice(1) : shortNames.test(rest) ? rest : '');
      if (isCameraName(camera)) return { role, rank, camera, name };
    }
  }
  return null;
}

/** `K_l`, `K_left` and `distLeft` are of one camera. */
function cameraOf(name: string): string {
  return /^l(?:eft)?$/i.test(name) ? 'left' : /^r(?:ight)?$/i.test(name) ? 'right' : name;
}

function namesOf(values: Values): string {
  return Object.keys(values).slice(0, 12).map(quoted).join(', ');
}
