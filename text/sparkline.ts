const heights = '▁▂▃▄▅▆▇█';

/**
 * Values as a line of bars, oldest first, by their logarithm: a loss falls by tens. Several values share a bar where there are
 * more than `width`.
 *
 * @returns an empty text for fewer than three values; those that are not finite or not above 0 are left out.
 */
export function sparkline(values: readonly number[], width: number): string {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  if (logs.length < 3) return '';
  const count = Math.min(width, logs.length);
  const bars = Array.from({ length: count }, (_, i) => {
    const part = logs.slice(Math.floor((i * logs.length) / count), Math.floor(((i + 1) * logs.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...bars), Math.max(...bars)];
  const scale = high > low ? (heights.length - 1) / (high - low) : 0;
  return bars.map((bar) => heights[Math.round((bar - low) * scale)]).join('');
}
