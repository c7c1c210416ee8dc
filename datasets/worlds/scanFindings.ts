import type { Mesh } from '../../geometry/mesh/mesh.js';
import { extentOf, inWords, short } from './extent.js';
import { ScanFit } from './scanFit.js';
import type { WorldFinding } from './types.js';
import { insteadOfMillimetres, likelyUnit } from './units.js';

/** mm. A registration follows the surface that was scanned; hair and clothes it does not. */
const goodDistance = 4;
const doubtfulDistance = 12;
const wrongDistance = 30;
/** What a mistake that was undone has to gain. */
const gain = 3;
/** mm; of a scan that there is no registration to compare with. */
const plausibleSide = [100, 3000] as const;
const headSide = 300;

type Vector = readonly [number, number, number];
type Change = (x: number, y: number, z: number) => Vector;

/** A mistake that a scan may have been stored with, and what undoes it. */
interface Mistake {
  readonly change: Change;
  readonly what: string;
  readonly advice: string;
}

/**
 * Whether a scan lies where its registration does, in millimetres.
 *
 * @param scan `[n, 3]`, as it is stored. @param registration mm, with the template's faces.
 */
export function scanFindings(scan: Float32Array, file: string, registration: Mesh): WorldFinding[] {
  const fit = new ScanFit(registration, scan);
  const distance = fit.distance((x, y, z) => [x, y, z]);
  if (distance <= goodDistance) return [];
  const [own, other] = [extentOf(scan), extentOf(registration.vertices)];
  const shift = other.centre.map((value, i) => value - own.centre[i]!) as unknown as Vector;
  const best = [...unitMistakes(), ...axisMistakes(), moved(shift)]
    .map((mistake) => ({ ...mistake, distance: fit.distance(mistake.change) }))
    .reduce((least, mistake) => (mistake.distance < least.distance ? mistake : least));
  const isExplained = best.distance < distance / gain && best.distance < doubtfulDistance;
  if (!isExplained && distance <= doubtfulDistance) return [];
  const expected =
    `points in mm, in the registration's world, near its surface (within ${doubtfulDistance} mm in the median); ` +
    `the registration is ${inWords(other)}`;
  const place = `a scan of ${inWords(own)}, ${short(distance)} mm from the registration in the median`;
  const isWrong = isExplained || distance > wrongDistance;
  return [
    {
      severity: isWrong ? 'error' : 'warning',
      part: 'scan',
      file,
      found: isExplained ? `${place}; it would be ${short(best.distance)} mm if ${best.what}` : place,
      expected,
      advice: isExplained
        ? best.advice
        : 'Are scan and registration of the same frame, subject and world? `tempeh-flow dataset show` draws both.',
    },
  ];
}

/** Of a scan without registration: whether it has the size of a head, and lies where heads are looked for. */
export function loneScanFindings(
  scan: Float32Array,
  file: string,
  volume: { readonly centre: Vector; readonly side: number } | null,
): WorldFinding[] {
  const own = extentOf(scan);
  const found = `a scan of ${inWords(own)}`;
  const [least, most] = plausibleSide;
  if (own.largestSide < least || own.largestSide > most) {
    const unit = likelyUnit(own.largestSide, headSide, insteadOfMillimetres);
    const advice = unit ? multiply(unit.factor) : 'Check the unit of the scans.';
    const looks = unit ? `: this looks like ${unit.name}` : '';
    return [
      {
        severity: 'error',
        part: 'scan',
        file,
        found: `${found}${looks}`,
        expected: 'a head in mm, some hundred wide',
        advice,
      },
    ];
  }
  if (volume === null) return [];
  const off = Math.max(...own.centre.map((value, i) => Math.abs(value - volume.centre[i]!)));
  if (off <= volume.side / 2) return [];
  return [
    {
      severity: 'error',
      part: 'scan',
      file,
      found,
      expected: `a head within the volume of ${volume.side} mm about (${volume.centre.join(', ')})`,
      advice: 'Move scans, registrations and calibrations alike, or set model.coarse.gridOrigin.',
    },
  ];
}

function unitMistakes(): Mistake[] {
  return insteadOfMillimetres.map(({ name, factor }) => ({
    change: (x, y, z) => [factor * x, factor * y, factor * z],
    what: `it was in ${name}`,
    advice: multiply(factor),
  }));
}

function multiply(factor: number): string {
  return `Multiply the points of the scans by ${factor}.`;
}

/** All ways to name and turn axes, but the right one. */
function axisMistakes(): Mistake[] {
  const letters = ['x', 'y', 'z'] as const;
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  return orders.flatMap((order, at) =>
    Array.from({ length: 8 }, (_, signs): Mistake | null => {
      if (at === 0 && signs === 0) return null;
      const sign = (i: number): number => ((signs >> i) & 1 ? -1 : 1);
      const axes = order.map((axis, i) => `${sign(i) < 0 ? '-' : ''}${letters[axis]}`).join(', ');
      return {
        change: (x, y, z) => {
          const point = [x, y, z] as const;
          return [sign(0) * point[order[0]], sign(1) * point[order[1]], sign(2) * point[order[2]]];
        },
        what: `(x, y, z) was (${axes}) of what is stored`,
        advice: `Store the scans' points as (${axes}) of what they are now: axes were exchanged or turned on the way.`,
      };
    }).filter((mistake) => mistake !== null),
  );
}

function moved(shift: Vector): Mistake {
  const by = `(${shift.map((value) => value.toFixed(0)).join(', ')}) mm`;
  return {
    change: (x, y, z) => [x + shift[0], y + shift[1], z + shift[2]],
    what: `it was moved by ${by}`,
    advice: `Scans and registrations are in different worlds: move the scans by ${by}, or the registrations back.`,
  };
}
