import { cameraCentre, projectPoints, type Camera } from '../../geometry/camera.js';
import {
  clamp,
  distanceOf,
  dot,
  inverted,
  meetingPoint,
  transposedAboutCentre,
  turnedRound,
  unit,
  type Vector,
} from './rigGeometry.js';

/** Something about a rig that training would stumble over, in words that lead to its mending. */
export interface RigFinding {
  /** `error`: the networks cannot learn from it. `warning`: it works, but is not what was meant, most likely. */
  readonly severity: 'error' | 'warning';
  /** null: of the rig as a whole. */
  readonly camera: string | null;
  readonly found: string;
  readonly expected: string;
  readonly advice: string;
}

/** The grid of voxels that the coarse model searches for the head. mm. */
export interface Volume {
  readonly centre: readonly [number, number, number];
  /** Of the cube. */
  readonly side: number;
}

/** mm. Nearer, a camera stands in the volume; further, a head has no pixels. */
const plausibleDistance = [250, 10_000] as const;
/** Radius of a head about the volume's centre, mm. */
const headRadius = 130;
/** The principal point lies in this share of the image about its middle. */
const principalShare = 0.5;

/**
 * Looks at a rig as a whole: whether its cameras are in millimetres, surround the volume and look at it. Cameras are at
 * the calibration's full resolution.
 */
export function rigFindings(cameras: readonly Camera[], volume: Volume): RigFinding[] {
  const findings = cameras.flatMap(opticsFindings);
  const units = unitFinding(cameras, volume);
  // In wrong units everything else is wrong as well.
  if (units) return [units, ...findings];
  const blind = cameras.filter((camera) => !sees(camera, volume.centre));
  const common = blind.length >= cameras.length / 4 ? commonMistake(cameras, volume) : null;
  if (common) findings.push(common);
  else findings.push(...blind.map((camera) => blindFinding(camera, volume)));
  findings.push(...distanceFindings(cameras, volume), ...arrangementFindings(cameras, volume));
  return findings;
}

function opticsFindings(camera: Camera): RigFinding[] {
  const { name, width, height, intrinsics } = camera;
  const [focalX, focalY, x, y] = [intrinsics[0]!, intrinsics[4]!, intrinsics[2]!, intrinsics[5]!];
  const findings: RigFinding[] = [];
  const point = `a principal point at (${x.toFixed(0)}, ${y.toFixed(0)}) of ${width}×${height} pixels`;
  if (!(x >= 0 && x <= width && y >= 0 && y <= height)) {
    const advice =
      'The camera matrix belongs to another image size (a resized or cropped image?), or width and height are swapped: give the size that the camera was calibrated at.';
    findings.push({ severity: 'error', camera: name, found: point, expected: 'one within the image', advice });
  } else if (Math.abs(x / width - 0.5) > principalShare / 2 || Math.abs(y / height - 0.5) > principalShare / 2) {
    const advice = 'If the images are cropped, this is right; else the camera matrix belongs to another image size.';
    findings.push({ severity: 'warning', camera: name, found: point, expected: 'one near the middle', advice });
  }
  const angle = (2 * Math.atan(width / 2 / focalX) * 180) / Math.PI;
  if (angle < 2 || angle > 120) {
    findings.push({
      severity: 'warning',
      camera: name,
      found: `a horizontal angle of view of ${angle.toFixed(1)}° (focal length ${focalX.toFixed(0)} px)`,
      expected: '2° to 120°',
      advice: 'Check focal length (in pixels, at full resolution) and image size.',
    });
  }
  const ratio = focalX / focalY;
  if (ratio < 0.9 || ratio > 1.1) {
    findings.push({
      severity: 'warning',
      camera: name,
      found: `focal lengths of ${focalX.toFixed(0)} and ${focalY.toFixed(0)} px`,
      expected: 'about the same across and down',
      advice: 'Unless its pixels are not square, the image was stretched after calibration, or fy is misplaced.',
    });
  }
  return findings;
}

/** Distances from the world's origin tell the unit: a rig for heads has about a metre of radius. */
function unitFinding(cameras: readonly Camera[], { centre }: Volume): RigFinding | null {
  const distances = cameras.map((camera) => Math.hypot(...cameraCentre(camera))).sort((a, b) => a - b);
  const median = distances[distances.length >> 1] ?? 0;
  const range = `${distances[0]?.toPrecision(3)} to ${distances.at(-1)?.toPrecision(3)}`;
  const looks = (unit: string, factor: number): RigFinding => ({
    severity: 'error',
    camera: null,
    found: `cameras at distances of ${range} from the origin: these look like ${unit}`,
    expected: 'millimetres: a rig for heads is some hundred to some thousand of them wide',
    advice: `Convert the calibrations with \`--units ${unit === 'metres' ? 'm' : 'cm'}\`, or multiply X, Y, Z of the .tka files by ${factor}.`,
  });
  // All cameras at one place are another mistake; the volume's own offset is in millimetres.
  if (median === 0 || Math.hypot(...centre) > 1e4) return null;
  if (median <= 10) return looks('metres', 1000);
  if (median <= 200) return looks('centimetres', 10);
  return null;
}

function sees(camera: Camera, point: Vector): boolean {
  const [x, y, depth] = projectPoints(camera, Float64Array.from(point), { distort: false });
  return depth! > 0 && x! >= 0 && x! <= camera.width && y! >= 0 && y! <= camera.height;
}

/** One mistake made for all cameras: if it was undone, (nearly) all would see the volume. A symmetric rig may see it even so. */
function commonMistake(cameras: readonly Camera[], { centre }: Volume): RigFinding | null {
  const seeing = (change: (camera: Camera) => Camera): number =>
    cameras.filter((camera) => sees(change(camera), centre)).length;
  const plain = seeing((camera) => camera);
  const undone = [
    {
      count: seeing(inverted),
      what: 'rotation and translation go the other way',
      advice:
        'They are camera-to-world, and were taken for world-to-camera (or the other way round): convert them with the other `--extrinsics`.',
    },
    {
      count: seeing(transposedAboutCentre),
      what: 'the rotations are transposed',
      advice: 'Write their columns as rows: a .tka has world-to-camera rotations beside camera centres.',
    },
    {
      count: seeing(turnedRound),
      what: 'the cameras look the other way (their z axis points backwards, as in OpenGL)',
      advice: 'Negate the second and third row of each world-to-camera rotation: y is down and z forward here.',
    },
  ].sort((a, b) => b.count - a.count);
  const [best] = undone;
  if (!best || best.count <= plain || best.count < 0.9 * cameras.length) return null;
  return {
    severity: 'error',
    camera: null,
    found: `${plain} of ${cameras.length} cameras see the volume's centre ${vector(centre)}; ${best.count} would if ${best.what}`,
    expected: 'cameras that look at the head',
    advice: best.advice,
  };
}

function blindFinding(camera: Camera, { centre }: Volume): RigFinding {
  const [x, y, depth] = projectPoints(camera, Float64Array.from(centre), { distort: false });
  const found =
    depth! <= 0
      ? `the volume's centre ${vector(centre)} is behind it`
      : `the volume's centre ${vector(centre)} is at pixel (${x!.toFixed(0)}, ${y!.toFixed(0)}) of ${camera.width}×${camera.height}`;
  return {
    severity: 'error',
    camera: camera.name,
    found,
    expected: 'the centre within the image',
    advice: "Check this camera's rotation and translation, or leave its calibration out.",
  };
}

function distanceFindings(cameras: readonly Camera[], { centre }: Volume): RigFinding[] {
  const [nearest, furthest] = plausibleDistance;
  return cameras.flatMap((camera): RigFinding[] => {
    const distance = distanceOf(cameraCentre(camera), centre);
    const expected = `${nearest} to ${furthest} mm`;
    const advice = 'Check the unit of its translation, and that the world’s origin is where the head is.';
    if (distance < nearest || distance > furthest) {
      const found = `it stands ${distance.toFixed(0)} mm from the volume's centre`;
      return [{ severity: 'error', camera: camera.name, found, expected, advice }];
    }
    const share = (2 * headRadius * camera.intrinsics[0]!) / distance / camera.width;
    if (share >= 0.1) return [];
    const found = `a head takes ${(100 * share).toFixed(0)} % of its image's width (${distance.toFixed(0)} mm away)`;
    return [
      {
        severity: 'warning',
        camera: camera.name,
        found,
        expected: '10 % at least',
        advice: 'Crop the images, or move the camera nearer.',
      },
    ];
  });
}

function arrangementFindings(cameras: readonly Camera[], { centre, side }: Volume): RigFinding[] {
  if (cameras.length < 2) {
    const advice = 'The networks compare views: calibrate more cameras, or choose others (viewKind).';
    return [{ severity: 'error', camera: null, found: `${cameras.length} cameras`, expected: 'two at least', advice }];
  }
  const findings: RigFinding[] = [];
  const focus = meetingPoint(cameras);
  const off = focus ? distanceOf(focus, centre) : 0;
  if (focus && off > side / 4) {
    findings.push({
      severity: off > side / 2 ? 'error' : 'warning',
      camera: null,
      found: `the cameras' lines of sight meet at about ${vector(focus)} mm, ${off.toFixed(0)} mm from the volume's centre ${vector(centre)}`,
      expected: `within ${(side / 4).toFixed(0)} mm of it: heads are there`,
      advice: `Move the world: convert the calibrations with \`--origin ${focus.map((value) => value.toFixed(0)).join(' ')}\` (in mm) and move scans and registrations alike, or set model.coarse.gridOrigin.`,
    });
  }
  const directions = cameras.map((camera) =>
    unit(cameraCentre(camera).map((value, i) => value - centre[i]!) as unknown as Vector),
  );
  let widest = 0;
  for (const one of directions) {
    for (const other of directions) widest = Math.max(widest, Math.acos(clamp(dot(one, other))));
  }
  const degrees = (widest * 180) / Math.PI;
  if (degrees < 20) {
    findings.push({
      severity: degrees < 2 ? 'error' : 'warning',
      camera: null,
      found: `all cameras within ${degrees.toFixed(1)}° as seen from the volume's centre`,
      expected: 'cameras around the head: 20° at least, better 180°',
      advice: 'Depth cannot be told from such views. If the rig is wider, translations are lost or in a wrong unit.',
    });
  }
  for (const [i, one] of cameras.entries()) {
    for (const other of cameras.slice(i + 1)) {
      if (distanceOf(cameraCentre(one), cameraCentre(other)) > 1) continue;
      findings.push({
        severity: 'warning',
        camera: one.name,
        found: `it stands where ${other.name} does`,
        expected: 'a place of its own',
        advice: 'Is one calibration a copy of the other?',
      });
    }
  }
  return findings;
}

function vector(v: readonly number[]): string {
  return `(${v.map((value) => value.toFixed(0)).join(', ')})`;
}
