import { cameraCentre, type Camera } from '../../geometry/cameras/camera.js';
import { blindFinding, distanceFindings, opticsFindings, sees, vector } from './cameraFindings.js';
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
import type { RigFinding, Volume } from './types.js';

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
  findings.push(
    ...cameras.flatMap((camera) => distanceFindings(camera, volume)),
    ...arrangementFindings(cameras, volume),
  );
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

/**
 * One mistake made for all cameras: if it was undone, (nearly) all would see the volume. A symmetric rig may see it even so.
 */
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
      advice:
        'Depth cannot be estimated from such views. If the rig is wider, translations are lost or in a wrong unit.',
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
