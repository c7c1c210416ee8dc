import { packed } from '../embedded.js';
import type { Curve } from '../history/series.js';

/** Places for the curves, and what is drawn there. */
export function curves(drawn: readonly Curve[]): string {
  if (drawn.length === 0) return '';
  const places = drawn.map(({ title }, i) => `<div class="curve" data-curve="${i}" aria-label="${title}"></div>`);
  return `<h2>Curves</h2><div class="curves">${places.join('\n')}</div>${packed('curves-data', JSON.stringify(drawn))}`;
}
