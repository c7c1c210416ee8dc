/** "12.3 ms", "1.23 s". */
export const seconds = (value: number): string =>
  value < 0.1 ? `${(1000 * value).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Markdown; numbers to the right of the first column. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
}
