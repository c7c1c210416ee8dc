import type { RigFinding } from '../../datasets/inspect/types.js';
import { styled } from '../terminal/terminal.js';

/** Findings of several rigs, those that say the same of several cameras or sequences told once. */
export function findingLines(
  rigs: readonly { readonly where: string; readonly findings: readonly RigFinding[] }[],
): string[] {
  const groups = new Map<string, { finding: RigFinding; where: string; count: number }>();
  for (const { where, findings } of rigs) {
    for (const finding of findings) {
      const key = JSON.stringify([finding.severity, finding.camera, finding.expected, finding.advice]);
      const group = groups.get(key);
      if (group) group.count++;
      else groups.set(key, { finding, where, count: 1 });
    }
  }
  return [...groups.values()]
    .sort((a, b) => a.finding.severity.localeCompare(b.finding.severity))
    .flatMap(({ finding, where, count }) => {
      const { severity, camera, found, expected, advice } = finding;
      const mark = severity === 'error' ? styled('red', '✘') : styled('yellow', '!');
      const others = count > 1 ? ` (and ${count - 1} more sequences)` : '';
      return [
        `  ${mark} ${camera === null ? 'rig' : `camera ${camera}`}${where ? `, ${where}${others}` : ''}: ${found}`,
        `    expected ${expected}. ${advice}`,
      ];
    });
}
