import type { Mesh } from '../../geometry/mesh/mesh.js';
import { extentOf, inWords, short } from './extent.js';
import type { WorldFinding } from './types.js';
import { insteadOfMetres, likelyUnit } from './units.js';

/** m. Heads, also with neck and shoulders. */
const plausibleSide = [0.05, 1.5] as const;
const headSide = 0.3;

/** Whether a template is a head in metres. @param template as it was read: m taken for mm, so 1000 times what is stored. */
export function templateFindings(template: Mesh, file: string): WorldFinding[] {
  const stored = extentOf(template.vertices.map((value) => value / 1000));
  const [least, most] = plausibleSide;
  if (stored.largestSide >= least && stored.largestSide <= most) return [];
  const unit = likelyUnit(stored.largestSide, headSide, insteadOfMetres);
  return [
    {
      severity: 'error',
      part: 'template',
      file,
      found: `a mesh of ${inWords(stored, 'm')}${unit ? `: this looks like ${unit.name}` : ''}`,
      expected: `a head in metres, ${least} to ${most} at its longest side`,
      advice: unit
        ? `Divide the template's vertices by ${short(1 / unit.factor)}.`
        : 'Is this the head template (dataset.layout.template)?',
    },
  ];
}
