import { stripVTControlCharacters } from 'node:util';
import { printableLines } from '../../text/printable.js';
import { withoutControls } from './terminal.js';

/** What a command that is to answer in JSON has said, until its end. */
interface Answer {
  readonly messages: string[];
  readonly fields: Record<string, unknown>;
  /** It printed JSON of its own: nothing is added to that. */
  isOwn: boolean;
}

let answer: Answer | null = null;

/**
 * Prints a line, or several, on standard output: what every command says, for parts of it may have come from outside.
 * Nothing but colours and line ends is obeyed. Under `--json` it becomes a part of the answer.
 */
export function print(text = ''): void {
  if (answer === null) process.stdout.write(`${withoutControls(text)}\n`);
  else if (text !== '') answer.messages.push(stripVTControlCharacters(withoutControls(text)));
}

/** Prints what a program is to read. @param indent spaces; 0 for one line. */
export function printJson(value: unknown, indent = 2): void {
  printLine(JSON.stringify(value, null, indent));
}

/** Prints a line that is JSON already. */
export function printLine(json: string): void {
  if (answer !== null) answer.isOwn = true;
  process.stdout.write(`${printableLines(json)}\n`);
}

/** Values for a program that reads the answer, beside the text of {@link print}, by name: `run`, `file`, … */
export function tell(fields: Readonly<Record<string, unknown>>): void {
  if (answer !== null) Object.assign(answer.fields, fields);
}

/** Whether a program reads what is printed. */
export function answersInJson(): boolean {
  return answer !== null;
}

/** Begins a command. @param json what it prints is collected for one answer at its end. */
export function beginAnswer(json: boolean): void {
  answer = json ? { messages: [], fields: {}, isOwn: false } : null;
}

/**
 * Ends a command that answers in JSON: prints the answer, unless it printed JSON of its own.
 *
 * @param error what went wrong, human-readable; null if nothing did.
 */
export function endAnswer(exitCode: number, error: string | null): void {
  if (answer === null) return;
  const { messages, fields, isOwn } = answer;
  answer = null;
  if (isOwn && error === null) return;
  printJson({ exitCode, ...(error === null ? {} : { error }), ...(isOwn ? {} : { ...fields, messages }) });
}
