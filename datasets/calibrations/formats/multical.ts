import { describe, fieldsOf, isMap, problem, type Fields } from '../fields/fields.js';

type Values = Readonly<Record<string, unknown>>;

/** Whether a map is a calibration of multical: cameras without poses, and `camera_poses` beside them. */
export function isMultical(root: Values): boolean {
  return isMap(root['cameras']) && isMap(root['camera_poses']);
}

/**
 * The rig of a calibration of multical as a rig file has it. A pose called `NAME_to_OTHER` takes points of that other camera to
 * this one; one called as the camera takes points of the rig, or, of the camera that the others are relative to, is none.
 *
 * @throws FormatError if a camera has no pose, or one by a camera that is not the others'
 */
export function rigOfMultical(root: Values, file: string): { readonly rig: Values; readonly notes: string[] } {
  const { cameras, camera_poses: poses, image_sets: _images, ...others } = root;
  const top = fieldsOf(file, '', root);
  const names = Object.keys(cameras as Values);
  const masters = new Set<string>();
  const entries = names.map((name) => {
    const lens = (cameras as Values)[name];
    if (!isMap(lens)) throw problem(top, `cameras.${name}`, 'a camera', describe(lens));
    const { pose, master } = poseOf(top, poses as Values, name, names);
    if (master !== null) masters.add(master);
    return [name, { ...lens, ...pose, extrinsics: 'world-to-camera' }] as const;
  });
  const [master, another] = masters;
  if (another !== undefined) {
    const expected = 'all poses by one camera (calibrate with --master CAMERA)';
    throw problem(top, 'camera_poses', expected, `by ${master} and by ${another}`);
  }
  const notes = [
    `${file}: the world is that of ${master ?? "multical's rig"}: move it to the head with --origin and --axes, or --align.`,
  ];
  return { rig: { ...others, cameras: Object.fromEntries(entries) }, notes };
}

function poseOf(
  top: Fields,
  poses: Values,
  name: string,
  names: readonly string[],
): { readonly pose: Values; readonly master: string | null } {
  const master = names.find((other) => Object.hasOwn(poses, `${name}_to_${other}`));
  const key = master === undefined ? name : `${name}_to_${master}`;
  const pose = poses[key];
  if (!isMap(pose)) {
    throw problem(top, `camera_poses.${key}`, 'R and T of each camera', describe(pose ?? 'nothing'));
  }
  return { pose: { R: pose['R'], T: pose['T'] }, master: master ?? null };
}
