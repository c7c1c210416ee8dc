import { FormatError, quoted } from '../../formats/formatError.js';
import { distortionTerms, type OpencvCamera } from '../opencvCamera.js';
import type { CalibrationDefaults } from '../options.js';
import { isSide } from '../rigFile/readIntrinsics.js';
import { childOf, childrenOf, numbersIn, type Element } from '../fields/xml.js';

const shared = ['cx', 'cy', 'k1', 'k2', 'k3', 'k4', 'p1', 'p2', 'p3', 'p4'] as const;
const terms = ['f', 'b1', 'b2', ...shared] as const;
/** Terms of PhotoScan up to 1.2. */
const olderTerms = ['fx', 'fy', 'skew', ...shared] as const;
const others = ['resolution', 'date', 'comment', 'device'];

type Optics = Pick<OpencvCamera, 'imageSize' | 'focal' | 'principalPoint' | 'distortion' | 'further'>;
type Values = (name: (typeof terms | typeof olderTerms)[number]) => number;

/**
 * The optics of a Metashape sensor, by the formula of its manual (appendix "Camera models", frame cameras): radial terms K1 to
 * K4, tangential P1 to P4 (of which P1 and P2 are OpenCV's p2 and p1), affinity and shear B1, B2, and a principal point
 * as an offset from the picture's middle. Its predecessor PhotoScan had, up to 1.2, fx, fy and skew, the principal point from
 * the picture's corner, and OpenCV's order of P1 and P2.
 *
 * @throws FormatError of another model, or of a term that is not known
 */
export function metashapeOptics(sensor: Element, file: string, { undistorted, onNote }: CalibrationDefaults): Optics {
  const where = `sensor ${quoted(sensor.attributes['label'] ?? sensor.attributes['id'] ?? '')}`;
  const calibrations = childrenOf(sensor, 'calibration');
  const adjusted = calibrations.find(({ attributes }) => attributes['class'] === 'adjusted');
  const calibration = adjusted ?? calibrations[0];
  if (!calibration)
    throw new FormatError({ file, where, expected: 'a calibration', found: 'none (align the photos first)' });
  if (!adjusted) onNote?.(`${file}: ${where} has no adjusted calibration: its initial one is used.`);
  for (const element of [sensor, calibration]) {
    const type = element.attributes['type'] ?? 'frame';
    if (type === 'frame') continue;
    const expected = 'a frame camera; the networks have no other lens: undistort the images (docs/own-data.md)';
    throw new FormatError({ file, where, expected, found: quoted(type) });
  }
  const size = childOf(calibration, 'resolution', file) ?? childOf(sensor, 'resolution', file);
  const [width, height] = [Number(size?.attributes['width']), Number(size?.attributes['height'])];
  if (!isSide(width) || !isSide(height)) {
    throw new FormatError({ file, where, expected: 'a resolution in whole pixels', found: `${width} × ${height}` });
  }
  const isOlder = childOf(calibration, 'fx', file) !== null;
  const known: readonly string[] = isOlder ? olderTerms : terms;
  const unknown = calibration.children.find(({ name }) => ![...known, ...others].includes(name));
  if (unknown) {
    const expected = `terms of a frame camera (${known.join(', ')})`;
    throw new FormatError({ file, where, expected, found: unknown.name });
  }
  const value: Values = (name) => {
    const element = childOf(calibration, name, file);
    return element ? numbersIn(element, 1, file, where)[0]! : 0;
  };
  const optics = isOlder ? olderOptics(value) : presentOptics(value, [width, height]);
  const [fx, fy] = optics.focal;
  if (!(fx > 0 && fy > 0)) {
    throw new FormatError({ file, where, expected: 'focal lengths above 0', found: `${fx} and ${fy}` });
  }
  const [offX, offY] = [optics.principalPoint[0] - width / 2, optics.principalPoint[1] - height / 2];
  if (Math.abs(offX) > width / 4 || Math.abs(offY) > height / 4) {
    const expected =
      "a principal point near the picture's middle (with f: an offset from it; with fx and fy: from the picture's corner); " +
      'open the project in Metashape 1.4 or later and export its cameras again';
    throw new FormatError({ file, where, expected, found: `${value('cx')}, ${value('cy')}` });
  }
  const whole = { imageSize: [width, height] as const, ...optics };
  if (undistorted) return { ...whole, distortion: new Float64Array(distortionTerms) };
  const further = {
    r8: value('k4'),
    growth: [value('p3'), value('p4')] as const,
    shear: value(isOlder ? 'skew' : 'b2'),
  };
  const isUsual = [further.r8, ...further.growth, further.shear].every((term) => term === 0);
  return isUsual ? whole : { ...whole, further };
}

/** The middle of the first pixel is at (0.5, 0.5), of OpenCV's at (0, 0). */
const half = 0.5;

function presentOptics(value: Values, [width, height]: readonly [number, number]): Omit<Optics, 'imageSize'> {
  const distortion = new Float64Array(distortionTerms);
  distortion.set([value('k1'), value('k2'), value('p2'), value('p1'), value('k3')]);
  return {
    focal: [value('f') + value('b1'), value('f')],
    principalPoint: [width / 2 + value('cx') - half, height / 2 + value('cy') - half],
    distortion,
  };
}

function olderOptics(value: Values): Omit<Optics, 'imageSize'> {
  const distortion = new Float64Array(distortionTerms);
  distortion.set([value('k1'), value('k2'), value('p1'), value('p2'), value('k3')]);
  return {
    focal: [value('fx'), value('fy')],
    principalPoint: [value('cx') - half, value('cy') - half],
    distortion,
  };
}
