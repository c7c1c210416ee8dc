import { distance } from 'fastest-levenshtein';

/** No name is as long; comparing two takes time by the product of their lengths. */
const longestName = 200;

/** Edits (insert, delete, replace a letter, swap two neighbours) that lead from one word to the other. */
function editDistance(from: string, to: string): number {
  const edits = distance(from, to);
  // The library counts a swap as two edits; in a short name that is the commonest slip.
  return edits === 2 && isSwap(from, to) ? 1 : edits;
}

function isSwap(from: string, to: string): boolean {
  const at = [...from].findIndex((letter, i) => letter !== to[i]);
  return `${from.slice(0, at)}${from[at + 1]}${from[at]}${from.slice(at + 2)}` === to;
}

/**
 * What may have been meant by a name that does not exist: near in spelling, or a dotted path with the same end.
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
