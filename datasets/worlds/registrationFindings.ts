import type { Mesh } from '../../geometry/mesh/mesh.js';
import { extentOf, inWords, short } from './extent.js';
import { median } from './scanFit.js';
import type { WorldFinding } from './types.js';
import { insteadOfMetres, likelyUnit } from './units.js';

/** Heads differ from the template by less than this factor. */
const mostSize = 2.5;
/** Share of edges that may be stretched or shrunk more than fourfold. */
const mostStretched = 0.1;
const stretched = Math.log(4);

/**
 * Whether a registration is the template, moved: as large, with edges as long.
 *
 * @param vertices `[L, 3]`, m, as they are stored. @param faces its own. @param template mm.
 */
export function registrationFindings({ vertices, faces }: Mesh, file: string, template: Mesh): WorldFinding[] {
  const finding = (found: string, expected: string, advice: string): WorldFinding[] => [
    { severity: 'error', part: 'registration', file, found, expected, advice },
  ];
  const [own, expectedExtent] = [extentOf(vertices), extentOf(template.vertices)];
  const size = (1000 * own.largestSide) / expectedExtent.largestSide;
  if (!(size > 1 / mostSize && size < mostSize)) {
    const unit = likelyUnit(1000 * own.largestSide, expectedExtent.largestSide, insteadOfMetres);
    return finding(
      `a mesh of ${inWords(own, 'm')}${unit ? `: this looks like ${unit.name}` : ''}`,
      `metres: the template is ${inWords(expectedExtent)}`,
      unit
        ? `Divide the vertices of the registrations by ${short(1 / unit.factor)}.`
        : 'Check the unit of the registrations, and that they are of this template.',
    );
  }
  const lengthRatios = edgeRatios(vertices, template).map((ratio) => Math.log((1000 * ratio) / size));
  const middle = median(lengthRatios);
  const share = lengthRatios.filter((value) => Math.abs(value) > stretched).length / Math.max(1, lengthRatios.length);
  if (share > mostStretched) {
    const percent = (100 * share).toFixed(0);
    return finding(
      `edges ${short(Math.exp(middle))} times as long as the template's in the median; ${percent} % differ more than fourfold`,
      "the template's vertices in the template's order",
      'They are in another order (did a program merge, sort or renumber vertices when it wrote the mesh?) or of another topology: write them as they are numbered in the template.',
    );
  }
  const [count, templateCount] = [faces.length / 3, template.faces.length / 3];
  if (count === templateCount) return [];
  return [
    {
      severity: count === 0 ? 'warning' : 'error',
      part: 'registration',
      file,
      found: count === 0 ? 'no triangles' : `${count} triangle${count === 1 ? '' : 's'}`,
      expected: `the template's ${templateCount}`,
      advice:
        "Positions are read and the template's triangles are used: write the mesh whole, to show that it has this topology.",
    },
  ];
}

/** Length of each edge of the template in the registration's unit, by its length in the template's. */
function edgeRatios(vertices: Float32Array, { vertices: original, faces }: Mesh): number[] {
  const ratios: number[] = [];
  for (let i = 0; i < faces.length; i++) {
    const [a, b] = [faces[i]!, faces[i % 3 === 2 ? i - 2 : i + 1]!];
    const before = distance(original, a, b);
    if (before > 0) ratios.push(Math.max(distance(vertices, a, b), 1e-12) / before);
  }
  return ratios;
}

function distance(points: Float32Array, a: number, b: number): number {
  return Math.hypot(
    points[3 * a]! - points[3 * b]!,
    points[3 * a + 1]! - points[3 * b + 1]!,
    points[3 * a + 2]! - points[3 * b + 2]!,
  );
}
