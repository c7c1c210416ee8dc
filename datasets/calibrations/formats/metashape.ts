import { FormatError, quoted } from '../../formats/formatError.js';
import { rotationProblem } from '../../formats/rotationProblem.js';
import { metashapeOptics } from './metashapeLens.js';
import { cameraOfImage } from '../fields/names.js';
import type { OpencvCamera } from '../opencvCamera.js';
import { neededScale, type CalibrationDefaults } from '../options.js';
import { composed, invertedPose, type Pose } from '../fields/pose.js';
import { oneOfEach, type CameraOfImage } from '../severalImages.js';
import { childOf, childrenOf, numbersIn, type Element } from '../fields/xml.js';

/** m; further from the origin is another world than a studio's. */
const furthest = 1e5;

/**
 * Reads the cameras that Metashape exports as XML (`document`, `chunk`, `sensors`, `components`, `cameras`): the adjusted
 * calibrations, the poses of the cameras that were aligned, and the way from the chunk's world to that of its reference.
 *
 * @throws FormatError
 */
export function readMetashape(root: Element, file: string, defaults: CalibrationDefaults): OpencvCamera[] {
  const chunks = childrenOf(root, 'chunk').filter((chunk) => childOf(chunk, 'cameras', file) !== null);
  const [chunk] = chunks;
  if (chunks.length !== 1 || !chunk) {
    throw new FormatError({ file, expected: 'one chunk with cameras', found: `${chunks.length}` });
  }
  const sensors = new Map(
    childrenOf(childOf(chunk, 'sensors', file) ?? chunk, 'sensor').map((s) => [s.attributes['id'], s]),
  );
  const cameras = elementsBelow(childOf(chunk, 'cameras', file)!, 'camera');
  const placed = cameras.filter((camera) => isEnabled(camera) && childOf(camera, 'transform', file));
  const left = cameras
    .filter((camera) => !placed.includes(camera))
    .map(({ attributes }) => quoted(attributes['label'] ?? ''));
  if (left.length > 0) {
    defaults.onNote?.(
      `${file}: left out, for they are not aligned, or disabled: ${left.slice(0, 8).join(', ')}${left.length > 8 ? ', …' : ''}.`,
    );
  }
  if (placed.length === 0)
    throw new FormatError({ file, expected: 'cameras that are aligned (with a transform)', found: 'none' });
  const found = placed.map((camera): CameraOfImage => {
    const image = camera.attributes['label'] ?? '';
    const where = `camera ${quoted(image)}`;
    const sensor = sensors.get(camera.attributes['sensor_id']);
    if (!sensor) {
      const expected = 'a sensor of the file (sensor_id)';
      throw new FormatError({ file, where, expected, found: quoted(camera.attributes['sensor_id'] ?? 'none') });
    }
    const pose = poseOf(camera, chunk, file, where, defaults);
    const optics = metashapeOptics(sensor, file, defaults);
    return { image, camera: { name: cameraOfImage(image, file, where, defaults), ...optics, ...invertedPose(pose) } };
  });
  defaults.onNote?.(`${file}: principal points are moved by −0.5 px: Metashape counts from the first pixel's corner.`);
  return oneOfEach(found, file);
}

/** Cameras may lie in groups. */
function elementsBelow(element: Element, name: string): Element[] {
  return element.children.flatMap((child) =>
    child.name === name ? [child] : child.name === 'group' ? elementsBelow(child, name) : [],
  );
}

/** Camera to world, mm. */
function poseOf(camera: Element, chunk: Element, file: string, where: string, defaults: CalibrationDefaults): Pose {
  const values = numbersIn(childOf(camera, 'transform', file)!, 16, file, where);
  const inChunk = {
    rotation: checked(
      Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => values[i]!),
      file,
      where,
    ),
    translation: [values[3]!, values[7]!, values[11]!] as const,
  };
  const transform = transformOf(camera, chunk, file);
  if (!transform) {
    const scale = neededScale(file, defaults, null, 'the chunk has no scale: its world has an arbitrary unit');
    const [x, y, z] = inChunk.translation;
    return { ...inChunk, translation: [scale * x, scale * y, scale * z] };
  }
  const part = (name: string, count: number): number[] | null => {
    const element = childOf(transform, name, file);
    return element && numbersIn(element, count, file, transform.name);
  };
  const scale = part('scale', 1)?.[0] ?? 1;
  const world = {
    rotation: checked(Float64Array.from(part('rotation', 9) ?? [1, 0, 0, 0, 1, 0, 0, 0, 1]), file, 'transform'),
    translation: (part('translation', 3) ?? [0, 0, 0]) as [number, number, number],
  };
  const [cx, cy, cz] = inChunk.translation;
  const metres = composed(world, { ...inChunk, translation: [scale * cx, scale * cy, scale * cz] });
  if (Math.hypot(...world.translation) > furthest) {
    const expected = 'a world of the studio (local coordinates in metres, from scale bars or markers)';
    throw new FormatError({ file, where: 'transform', expected, found: 'geographic coordinates' });
  }
  const perUnit = neededScale(file, defaults, isInMetres(chunk, file) ? 'm' : null, 'the reference is not in metres');
  const [x, y, z] = metres.translation;
  return { ...metres, translation: [perUnit * x, perUnit * y, perUnit * z] };
}

/** The transform of the camera's component, or of the chunk (of older files). */
function transformOf(camera: Element, chunk: Element, file: string): Element | null {
  const components = childrenOf(childOf(chunk, 'components', file) ?? chunk, 'component');
  const own = components.find(({ attributes }) => attributes['id'] === camera.attributes['component_id']);
  const only = components.length === 1 ? components[0]! : null;
  const component = own ?? only;
  return (component && childOf(component, 'transform', file)) ?? childOf(chunk, 'transform', file);
}

/** Whether the reference's unit is the metre; it is, where none is said. */
function isInMetres(chunk: Element, file: string): boolean {
  const reference = childOf(chunk, 'reference', file)?.text ?? '';
  const unit = /^LOCAL_CS\b.*UNIT\["[^"]*",\s*([\d.eE+-]+)/s.exec(reference);
  return unit === null || Number(unit[1]) === 1;
}

function checked(rotation: Float64Array, file: string, where: string): Float64Array {
  const found = rotationProblem(rotation);
  if (found === null) return rotation;
  throw new FormatError({ file, where, expected: 'a rotation matrix (orthonormal rows, determinant 1)', found });
}

function isEnabled({ attributes }: Element): boolean {
  return !['false', '0'].includes(attributes['enabled'] ?? 'true');
}
