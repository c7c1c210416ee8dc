import { z } from 'zod';
import { printable } from '../text/printable.js';
import { isObjectKey } from './objectKey.js';
import { ContentDamaged, ObjectNotFound, type ReadableStore } from './types.js';

/** Thrown for an object that does not hold what this program writes there. It needs a person; nothing was changed. */
export class StoredObjectInvalid extends Error {
  override readonly name = 'StoredObjectInvalid';
  constructor(
    readonly key: string,
    /** Dotted path of the first field that is wrong; empty for the whole object. */
    readonly field: string,
    /** What was found and expected. */
    problem: string,
    todo: string = restoreVersion,
    options?: ErrorOptions,
  ) {
    const place = field === '' ? '' : `${printable(field)}: `;
    super(`${key} does not hold what is expected there: ${place}${printable(problem)}. ${todo}.`, options);
  }
}

const restoreVersion = 'Restore it from an earlier version of the object, if the bucket keeps them';

/** Text of an object, read as JSON of a form. */
export interface StoredForm<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** Longer ones are refused unread. */
  readonly limitBytes?: number;
  /** What a person is to do about an object of another form; a sentence without its full stop. */
  readonly todo?: string;
}

/** What a JSON object of a store may have, where its form does not say: 64 MiB. */
const usualLimitBytes = 64 * 2 ** 20;

/** @throws StoredObjectInvalid naming the object and its first wrong field. */
export function parseStored<Schema extends z.ZodType>(
  bytes: Uint8Array,
  key: string,
  { schema, limitBytes = usualLimitBytes, todo }: StoredForm<Schema>,
): z.output<Schema> {
  if (bytes.length > limitBytes) {
    throw new StoredObjectInvalid(key, '', `found ${bytes.length} bytes, expected at most ${limitBytes}`, todo);
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new StoredObjectInvalid(key, '', `expected JSON, found ${found}`, todo, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const others = parsed.error.issues.length - 1;
  const more = others > 0 ? ` (and ${others} more)` : '';
  throw new StoredObjectInvalid(key, z.core.toDotPath(first?.path ?? []), `${first?.message ?? ''}${more}`, todo);
}

/**
 * What is thrown for an object whose content is not what was written, however often it is asked for: it needs a person, as
 * one of another form does. Other causes stay as they are.
 */
export function orInvalid(cause: unknown, todo?: string): unknown {
  if (!(cause instanceof ContentDamaged)) return cause;
  const problem = `found content that is not what was written in ${cause.store} (${cause.reason})`;
  return new StoredObjectInvalid(cause.key, '', problem, todo);
}

/** null if there is no such object. @throws StoredObjectInvalid naming the object and its first wrong field. */
export async function readStored<Schema extends z.ZodType>(
  store: ReadableStore,
  key: string,
  form: StoredForm<Schema>,
): Promise<z.output<Schema> | null> {
  try {
    return parseStored((await store.get(key)).body, key, form);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw orInvalid(cause, form.todo);
  }
}

/** A key that an object names below a prefix of its own: it cannot lead out of it. */
export const relativeKeySchema = z
  .string()
  .refine(isObjectKey, 'expected names joined by single slashes, none of them "." or ".."');

/** A SHA-256 in lower-case hexadecimal digits. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
