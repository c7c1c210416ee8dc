import { printableLines } from '../../text/printable.js';
import { withoutControls } from './terminal.js';

/**
 * Prints a line, or several, on standard output: what every command says, for parts of it may have come from outside.
 * Nothing but colours and line ends is obeyed.
 */
export function print(text = ''): void {
  process.stdout.write(`${withoutControls(text)}\n`);
}

/** Prints what a program is to read. @param indent spaces; 0 for one line. */
export function printJson(value: unknown, indent = 2): void {
  process.stdout.write(`${printableLines(JSON.stringify(value, null, indent))}\n`);
}
