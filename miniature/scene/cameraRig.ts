import { lookAt, type Camera } from '../../geometry/cameras/camera.js';
import { counterRandom } from '../../geometry/random.js';
import { rotationAboutAxis } from '../../geometry/rotation.js';
import { multiply3x3 } from '../../geometry/cameras/camera.js';
import { cameraFromTka, formatTka, parseTka, type TkaCalibration } from '../../datasets/formats/tka.js';
import { volumeCentre } from './motion.js';
import type { MiniatureSettings } from '../settings.js';

/** A view of the rig in one sequence. */
export interface RigView {
  /** `00_A`: pod and place; A and B are stereo views, C is the colour view. */
  readonly name: string;
  readonly kind: 'stereo' | 'colour';
  /** The calibration file's text. */
  readonly tka: string;
}

/** The sensor's long side, mm, whatever its number of pixels. */
const sensorWidth = 8.8;
const cameraDistance = 1000;
/** Focal length with which the largest head, displaced, fills the picture's height, mm. */
const focalLength = ({ sensor, displacement }: MiniatureSettings): number => {
  const height = 340 + 0.8 * displacement;
  return (sensorWidth * (sensor.height / sensor.width) * cameraDistance) / height;
};
/** The pods stand around the front and the sides; four cover less than eight. */
const podArc = (pods: number): number => (pods > 4 ? 270 : 225);
/** Within a pod: place beside the pod's middle, degrees. */
const places = {
  A: { azimuth: -14, elevation: 5 },
  B: { azimuth: 14, elevation: -4 },
  C: { azimuth: 0, elevation: 9 },
} as const;

/**
 * The calibrated views of a sequence, in sorted order of name. The rig is set up anew for each sequence: every camera is
 * a little elsewhere, with optics of its own.
 */
export function cameraRig(settings: MiniatureSettings, subject: number, sequence: number): RigView[] {
  const views: RigView[] = [];
  for (let pod = 0; pod < settings.pods; pod++) {
    for (const [letter, place] of Object.entries(places)) {
      const name = `${String(pod).padStart(2, '0')}_${letter}`;
      const random = counterRandom(settings.seed, 'camera', subject, sequence, name);
      const step = settings.pods === 1 ? 0 : podArc(settings.pods) / (settings.pods - 1);
      const azimuth = (pod - (settings.pods - 1) / 2) * step + place.azimuth;
      // Pods stand in turn above and below the head's height.
      const elevation = (pod % 2 ? -9 : 13) + place.elevation;
      const calibration = calibrate(settings, azimuth, elevation, random);
      const stored = name === settings.portraitView ? turnedOnItsSide(calibration) : calibration;
      views.push({ name, kind: letter === 'C' ? 'colour' : 'stereo', tka: formatTka(stored) });
    }
  }
  return views;
}

/**
 * The camera that a reader finds in a view's calibration.
 *
 * @param resizeFactor 1 for the sensor's pixels.
 */
export function rigCamera(view: RigView, resizeFactor: number): Camera {
  return cameraFromTka(parseTka(view.tka, `${view.name}.tka`), resizeFactor, view.name);
}

/**
 * The camera that takes the pictures as they are stored. The lens distorts as the sensor's own (resize factor 1)
 * calibration says; the picture is then scaled, by whole pixels' averages.
 */
export function storedCamera(view: RigView, resizeFactor: number): Camera {
  return { ...rigCamera(view, resizeFactor), distortion: rigCamera(view, 1).distortion };
}

function calibrate(
  settings: MiniatureSettings,
  azimuth: number,
  elevation: number,
  random: { gaussian(): number; uniform(): number },
): TkaCalibration {
  const { width, height } = settings.sensor;
  const jitter = (spread: number): number => spread * Math.max(-2, Math.min(2, random.gaussian()));
  const a = ((azimuth + jitter(1)) * Math.PI) / 180;
  const e = ((elevation + jitter(1)) * Math.PI) / 180;
  const distance = cameraDistance + jitter(15);
  const centre = [
    volumeCentre[0] + distance * Math.sin(a) * Math.cos(e),
    volumeCentre[1] + distance * Math.sin(e),
    volumeCentre[2] + distance * Math.cos(a) * Math.cos(e),
  ] as const;
  const target = [volumeCentre[0] + jitter(6), volumeCentre[1] + jitter(6), volumeCentre[2] + jitter(6)] as const;
  const upright = lookAt(centre, target, [0, 1, 0]);
  const rows = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (i) => upright[i]!);
  const pixel = sensorWidth / width;
  return {
    rotation: multiply3x3(rotationAboutAxis([0, 0, 1], jitter(0.02)), rows),
    centre,
    focalLength: focalLength(settings) * (1 + jitter(0.01)),
    undistortion: [3e-4 + jitter(5e-5), 1e-6],
    skew: 0,
    pixelSize: [pixel, pixel * 1.001],
    principalPoint: [width * (0.5 + jitter(0.008)), height * (0.5 + jitter(0.008))],
    imageSize: [width, height],
  };
}

/**
 * The same camera with its body turned by 90°, so that its picture is portrait, and becomes the upright landscape
 * picture when it is rotated counter-clockwise (method 1): x = W − y', y = x' with W the portrait's width.
 */
function turnedOnItsSide(upright: TkaCalibration): TkaCalibration {
  const [width, height] = upright.imageSize;
  const r = upright.rotation;
  return {
    ...upright,
    rotation: Float64Array.of(-r[3]!, -r[4]!, -r[5]!, r[0]!, r[1]!, r[2]!, r[6]!, r[7]!, r[8]!),
    pixelSize: [upright.pixelSize[1], upright.pixelSize[0]],
    principalPoint: [height - upright.principalPoint[1], upright.principalPoint[0]],
    imageSize: [height, width],
  };
}
