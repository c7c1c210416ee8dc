import { readFileSync, statSync } from 'node:fs';
import { RunError } from '../runError.js';

/** One key of AES-256. */
export interface PayloadKey {
  /** Says, unencrypted beside each payload, which key opens it. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** Text of keys, or the file that has it. */
export const keysVariable = 'TEMPEH_PAYLOAD_KEYS';
/** The variable that names the file of keys for what Temporal stores. */
export const keysFileVariable = 'TEMPEH_PAYLOAD_KEYS_FILE';

const form = 'a line a key: its name (letters, digits, . _ -), a blank, 32 bytes in base64';
const largestFile = 65_536;
/** Between two looks at the file, milliseconds. */
const lookInterval = 5000;

/**
 * The keys that payloads are encrypted with: the first encrypts, all decrypt. To change the key: add the new one below the
 * first everywhere, then put it first everywhere, and remove the old one when no history is left that has it.
 *
 * A file is read anew when it has changed, without a restart; while it cannot be read, what was read last counts.
 */
export class PayloadKeys {
  #keys: readonly PayloadKey[];
  #seen = '';
  #lookedAt = -Infinity;

  private constructor(
    private readonly file: string | null,
    text: string | null,
  ) {
    this.#keys = text === null ? [] : parseKeys(text, keysVariable);
    if (file !== null) this.readFile(file);
  }

  /** @returns null where the environment names none. @throws RunError `setting` */
  static of(environment: NodeJS.ProcessEnv): PayloadKeys | null {
    const text = environment[keysVariable] || null;
    const file = environment[keysFileVariable] || null;
    if (text !== null && file !== null) {
      throw new RunError('setting', `${keysVariable} and ${keysFileVariable} are both set: which one counts?`);
    }
    return text === null && file === null ? null : new PayloadKeys(file, text);
  }

  /** The key that encrypts. */
  first(): PayloadKey {
    this.look(false);
    return this.#keys[0]!;
  }

  find(id: string): PayloadKey | undefined {
    const known = this.#keys.find((key) => key.id === id);
    if (known !== undefined) return known;
    this.look(true);
    return this.#keys.find((key) => key.id === id);
  }

  private look(atOnce: boolean): void {
    if (this.file === null) return;
    const now = performance.now();
    if (!atOnce && now - this.#lookedAt < lookInterval) return;
    try {
      this.readFile(this.file);
    } catch {
      // It may be just being replaced. What cannot be decrypted without it says so.
    }
  }

  private readFile(file: string): void {
    this.#lookedAt = performance.now();
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const seen = `${mtimeMs} ${size} ${ino}`;
      if (seen === this.#seen) return;
      if (size > largestFile)
        throw new RunError('setting', `${file} (${keysFileVariable}) has ${size} bytes: no keys.`);
      this.#keys = parseKeys(readFileSync(file, 'utf8'), `${file} (${keysFileVariable})`);
      this.#seen = seen;
    } catch (cause) {
      if (cause instanceof RunError) throw cause;
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new RunError('setting', `${keysFileVariable} names ${file}, which cannot be read (${why}).`, { cause });
    }
  }
}

/** @param where the text stands, for errors: they never show a key. @throws RunError `setting` */
function parseKeys(text: string, where: string): PayloadKey[] {
  const keys: PayloadKey[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const found = /^\s*(?<id>[A-Za-z0-9._-]{1,64})\s+(?<key>[A-Za-z0-9+/]{43}=)\s*$/.exec(line)?.groups;
    if (found === undefined)
      throw new RunError('setting', `Line ${index + 1} of ${where} is not a key; expected ${form}.`);
    const { id, key } = found as { id: string; key: string };
    if (keys.some((other) => other.id === id)) {
      throw new RunError('setting', `${where} has two keys named ${id}. Which one opens what bears that name?`);
    }
    keys.push({ id, key: Buffer.from(key, 'base64') });
  }
  if (keys.length === 0) throw new RunError('setting', `${where} holds no key; expected ${form}.`);
  return keys;
}
