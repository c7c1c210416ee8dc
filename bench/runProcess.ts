import { spawn } from 'node:child_process';

/** Thrown when a measurement's process fails; with the end of what it printed. */
export class MeasurementFailed extends Error {
  override readonly name = 'MeasurementFailed';
}

/**
 * Runs a program that prints one JSON object at its end.
 *
 * @throws MeasurementFailed
 */
export async function runForJson(program: string, args: readonly string[], signal: AbortSignal): Promise<unknown> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-4000)));
  const ended = await new Promise<string | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(error);
      else resolve(error.code === 'ENOENT' ? 'there is no such program' : error.message);
    });
    child.once('close', (code, by) => resolve(code === 0 ? null : `it ended with ${code ?? by}`));
  });
  if (ended !== null) throw new MeasurementFailed(`${program} ${args.join(' ')}: ${ended}\n${errors.trim()}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as unknown;
}
