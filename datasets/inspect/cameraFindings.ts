import { cameraCentre, projectPoints, type Camera } from '../../geometry/cameras/camera.js';
import { distanceOf, type Vector } from './rigGeometry.js';
import type { RigFinding, Volume } from './types.js';

/** mm. Nearer, a camera stands in the volume; further, a head has no pixels. */
const plausibleDistance = [250, 10_000] as const;
/** Radius of a head about the volume's centre, mm. */
const headRadius = 130;
/** The principal point lies in this share of the image about its middle. */
const principalShare = 0.5;

/** Whether a camera's intrinsics fit its image. */
export function opticsFindings(camera: Camera): RigFinding[] {
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

/** Whether a point of the world falls into a camera's image. */
export function sees(camera: Camera, point: Vector): boolean {
  const [x, y, depth] = projectPoints(camera, Float64Array.from(point), { distort: false });
  return depth! > 0 && x! >= 0 && x! <= camera.width && y! >= 0 && y! <= camera.height;
}

/** The finding about a camera that does not see the volume's centre. */
export function blindFinding(camera: Camera, { centre }: Volume): RigFinding {
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

/** Whether a camera's distance gives a head enough pixels. */
export function distanceFindings(camera: Camera, { centre }: Volume): RigFinding[] {
  const [nearest, furthest] = plausibleDistance;
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
}

/** In words, whole numbers. */
export function vector(v: readonly number[]): string {
  return `(${v.map((value) => value.toFixed(0)).join(', ')})`;
}
