import type { RigFinding } from '../../datasets/inspect/types.js';
import type { WorldFinding } from '../../datasets/worlds/types.js';
import { styled } from '../terminal/terminal.js';

/** Findings that were made at some place. */
interface Found {
  readonly where: string;
  readonly findings: readonly (RigFinding | WorldFinding)[];
}

/**
 * Findings of several rigs, frames or files; what says the same of several cameras, sequences or frames is printed once.
 *
 * @param places what `where` names, of several.
 */
export function findingLines(found: readonly Found[], places: 'sequences' | 'frames' = 'sequences'): string[] {
  const groups = new Map<string, { finding: RigFinding | WorldFinding; where: string; count: number }>();
  for (const { where, findings } of found) {
    // Two cameras of a frame are one place.
    const here = new Set<string>();
    for (const finding of findings) {
      const key = keyOf(finding);
      const group = groups.get(key);
      if (!group) groups.set(key, { finding, where, count: 1 });
      else if (!here.has(key) || !('part' in finding)) group.count++;
      here.add(key);
    }
  }
  return [...groups.values()]
    .sort((a, b) => a.finding.severity.localeCompare(b.finding.severity))
    .flatMap(({ finding, where, count }) => {
      const { severity, expected, advice } = finding;
      const mark = severity === 'error' ? styled('red', '✘') : styled('yellow', '!');
      const others = count > 1 ? ` (and ${count - 1} more ${places})` : '';
      return [
        `  ${mark} ${subjectOf(finding)}${where ? `, ${where}${others}` : ''}: ${finding.found}`,
        `    expected ${expected}. ${advice}`,
      ];
    });
}

/** What makes findings the same; places and sizes differ from frame to frame. */
function keyOf(finding: RigFinding | WorldFinding): string {
  const { severity, expected, advice } = finding;
  if (!('part' in finding)) return JSON.stringify([severity, finding.camera, expected, advice]);
  return JSON.stringify([severity, finding.part, advice.replace(/\([-\d., ]+\)/g, '()')]);
}

function subjectOf(finding: RigFinding | WorldFinding): string {
  if ('part' in finding) return finding.part;
  return finding.camera === null ? 'rig' : `camera ${finding.camera}`;
}
