import { FormatError, quoted } from '../../formats/formatError.js';
import { distortionTerms, type OpencvCamera } from '../opencvCamera.js';
import type { CalibrationDefaults } from '../options.js';
import { isSide } from '../rigFile/readIntrinsics.js';
import { childOf, childrenOf, numbersIn, type Element } from '../fields/xml.js';

const terms = ['f', 'cx', 'cy', 'b1', 'b2', 'k1', 'k2', 'k3', 'k4', 'p1', 'p2', 'p3', 'p4'] as const;
const others = ['resolution', 'date', 'comment', 'device'];

/**
 * The optics of a Metashape sensor, by the formula of its manual (appendix "Camera models", frame cameras): radial terms K1 to
 * K4, tangential P1 to P4 (of which P1 and P2 are OpenCV's p2 and p1), affinity and shear B1, B2, and a principal point
 * as an offset from the picture's middle.
 *
 * @throws FormatError of another model, or of a term that is not known
 */
export function metashapeOptics(
  sensor: Element,
  file: string,
  { undistorted, onNote }: CalibrationDefaults,
): Pick<OpencvCamera, 'imageSize' | 'focal' | 'principalPoint' | 'distortion' | 'further'> {
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
  const unknown = calibration.children.find(({ name }) => ![...terms, ...others].includes(name));
  if (unknown) {
    const expected = `terms of a frame camera (${terms.join(', ')})`;
    throw new FormatError({ file, where, expected, found: unknown.name });
  }
  const value = (name: (typeof terms)[number]): number => {
    const element = childOf(calibration, name, file);
    return element ? numbersIn(element, 1, file, where)[0]! : 0;
  };
  const [f, cx, cy] = [value('f'), value('cx'), value('cy')];
  if (!(f > 0 && f + value('b1') > 0))
    throw new FormatError({ file, where, expected: 'a focal length f above 0', found: `${f}` });
  if (Math.abs(cx) > width / 4 || Math.abs(cy) > height / 4) {
    const expected = "a principal point as an offset from the picture's middle, as Metashape writes it since 1.4";
    throw new FormatError({ file, where, expected, found: `${cx}, ${cy}` });
  }
  const optics = {
    imageSize: [width, height] as const,
    focal: [f + value('b1'), f] as const,
    // The middle of Metashape's first pixel is at (0.5, 0.5).
    principalPoint: [width / 2 + cx - 0.5, height / 2 + cy - 0.5] as const,
  };
  const distortion = new Float64Array(distortionTerms);
  const shear = value('b2');
  if (undistorted) return { ...optics, distortion };
  distortion.set([value('k1'), value('k2'), value('p2'), value('p1'), value('k3')]);
  const [r8, p3, p4] = [value('k4'), value('p3'), value('p4')];
  const isUsual = r8 === 0 && p3 === 0 && p4 === 0 && shear === 0;
  return isUsual ? { ...optics, distortion } : { ...optics, distortion, further: { r8, growth: [p3, p4], shear } };
}
