import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { printableLines } from '../../text/printable.js';

type Style = Parameters<typeof styleText>[0];

/** Colours where the terminal has them: not in files and pipes, and not if `NO_COLOR` is set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && process.env['NO_COLOR'] === undefined ? styleText(style, text) : text;
}

/** Text of which parts came from outside, as it may be printed: nothing but colours and line ends is obeyed. */
export function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const parts = text.split(/(\u001b\[[0-9;]*m)/);
  return parts.map((part, i) => (i % 2 === 1 ? part : printableLines(part))).join('');
}

/** Columns that a text takes: colours take none, wide characters two. */
export function visibleLength(text: string): number {
  return stringWidth(text);
}

/**
 * Lays rows out in columns, two spaces apart.
 *
 * @param alignRight columns (from 0) of numbers.
 */
export function columns(raw: readonly (readonly string[])[], alignRight: readonly number[] = []): string {
  const widths: number[] = [];
  const rows = raw.map((row) => row.map(withoutControls));
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell))));
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const padding = ' '.repeat((widths[i] ?? 0) - visibleLength(cell));
          return alignRight.includes(i) ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Columns of the terminal that is printed to; elsewhere lines are as long as they are. */
export function terminalWidth(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.isTTY ? stream.columns || 80 : Infinity;
}

/**
 * Breaks lines at spaces, to so many columns; what follows is indented. A word that is longer (an address, a path) is left
 * whole, for it is to be clicked or copied; and so is a number with its unit.
 *
 * @param indent spaces of a line's continuations.
 */
export function wrapped(text: string, width = terminalWidth(), indent = 0): string {
  return text
    .split('\n')
    .map((line) => (visibleLength(line) <= width ? line : wrappedLine(line, width, indent)))
    .join('\n');
}

function wrappedLine(line: string, width: number, indent: number): string {
  const lines = [''];
  for (const word of wordsOf(line)) {
    const longer = `${lines.at(-1)}${word}`;
    if (visibleLength(longer) <= width || lines.at(-1)?.trim() === '') lines[lines.length - 1] = longer;
    else lines.push(`${' '.repeat(indent)}${word.trimStart()}`);
  }
  return lines.join('\n');
}

/** What our figures are in, as `duration`, `bytes` and the lines of progress print them. */
const units = 'd|h|min|s|ms|µs|B|[kKMGT]i?B|mm|%|(?:steps|frames)/s';
const numberWithUnit = String.raw`\S*\d (?:${units})(?![\p{L}\d/])\S*`;

/**
 * The words of a line, between which it may be broken: `40 s` is one. Spaces belong to the word that follows, so that columns
 * stay where they are.
 */
export function wordsOf(line: string): string[] {
  return line.match(new RegExp(String.raw`\s*(?:${numberWithUnit}|\S+)`, 'gu')) ?? [];
}

/** `2026-11-29 22:20:03`, in the time zone of this machine. */
export function localTime(date: Date): string {
  return new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' }).format(date);
}

/** `950 B`, `12.3 MB`, `4.56 GB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
