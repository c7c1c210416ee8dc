import { readFile } from 'node:fs/promises';
import { numberOf, publishedOptionsIn, stagesOf } from '../../configs/published/published.js';
import { groupedOptions } from '../../configs/published/publishedOptions.js';
import type { ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { start } from './start.js';

export interface TrainPublishedOptions extends ConnectionOptions {
  readonly set: readonly string[];
  readonly run: string | undefined;
  readonly follow: boolean;
}

/**
 * Starts the stage that published options describe: those of `--config-filename` with the command line's on top.
 *
 * @param given values by option; one that was not given is left out.
 * @returns the exit code.
 * @throws CommandError for a file or a value that cannot be read; ConfigurationError for values that cannot be.
 */
export async function trainPublished(
  model: 'coarse' | 'refinement',
  given: ReadonlyMap<string, readonly string[]>,
  { run, ...options }: TrainPublishedOptions,
): Promise<number> {
  const file = given.get('config_filename')?.at(-1);
  const merged = new Map<string, unknown>(file ? await publishedFile(file) : []);
  for (const [option, texts] of given) {
    if (option === 'config_filename') continue;
    if (groupedOptions.includes(option)) {
      for (const [name, value] of Object.entries(weights(option, texts.join(' ')))) merged.set(name, value);
    } else merged.set(option, valueOf(texts));
  }
  const experiment = merged.get('experiment_id');
  const name = run ?? (typeof experiment === 'string' && experiment !== '' ? experiment : undefined);
  // A marker of its model: a command line may name options of both alone.
  const marker = model === 'coarse' ? { global_arch: 'v2v2' } : { local_arch: 'v2v', local_voxel_dim: 8 };
  const base = { ...marker, ...Object.fromEntries(merged), experiment_id: '' };
  const text = {
    content: JSON.stringify({ base }, null, 1),
    name: file === undefined ? 'the command line' : `${file} and the command line`,
  };
  return start(stagesOf(model, merged).described, { ...options, run: name, config: undefined, text, from: undefined });
}

async function publishedFile(path: string): Promise<Map<string, unknown>> {
  try {
    return publishedOptionsIn(JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>);
  } catch (cause) {
    const message = `--config-filename ${path}: ${(cause as Error).message}; expected a published run’s config.json.`;
    throw new CommandError(message, exitCodes.usage, { cause });
  }
}

/** One value, or a list where several were given; Python's True and False. */
function valueOf(texts: readonly string[]): unknown {
  const values = texts.map((text): unknown => {
    if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
    return numberOf(text);
  });
  return values.length === 1 ? values[0] : values;
}

/** `'{"w_point_face": 0.0, …}'`, with either kind of quotes. */
function weights(option: string, text: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(text.replaceAll("'", '"')) as unknown;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  const expected = `'{"w_${option.startsWith('edge') ? 'edge' : 'point'}_face": 1.0}'`;
  throw new CommandError(
    `--${option.replaceAll('_', '-')} ${text}: expected weights by name, as ${expected}.`,
    exitCodes.usage,
  );
}
