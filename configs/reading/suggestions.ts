/** No name is as long; comparing two takes time by the product of their lengths. */
const longestName = 200;

/** Edits (insert, delete, replace, swap neighbours) that lead from one word to the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}

/**
 * What someone may have meant by a name that does not exist: near in spelling, or a dotted path with the same end.
 *
 * @param candidates names that exist.
 * @returns the best first, at most `limit`; none where nothing is near.
 */
export function suggest(wrong: string, candidates: readonly string[], limit = 3): string[] {
  if (wrong.length > longestName) return [];
  const target = wrong.toLowerCase();
  const end = lastSegment(target);
  const scored = candidates
    .map((candidate) => {
      const name = candidate.toLowerCase();
      const whole = editDistance(target, name) / Math.max(target.length, name.length);
      // The same last word under another parent is a likely slip, though the paths differ a lot.
      const sameEnd = lastSegment(name) === end ? 0.15 + 0.25 * whole : 1;
      return { candidate, score: Math.min(whole, sameEnd) };
    })
    .filter(({ score }) => score <= 0.35)
    .sort((a, b) => a.score - b.score);
  const best = scored[0]?.score ?? 0;
  return scored
    .filter(({ score }) => score <= best + 0.1)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** `Did you mean a, b or c?`, or nothing. */
export function didYouMean(names: readonly string[]): string {
  if (names.length === 0) return '';
  const last = names.at(-1)!;
  return ` Did you mean ${names.length === 1 ? last : `${names.slice(0, -1).join(', ')} or ${last}`}?`;
}
