import { isUtf8 } from 'node:buffer';
import { printable } from '../../text/printable.js';

const mostNamed = 3;
/** Names that are looked at again, of those that may be the same. */
const mostSuspicious = 10_000;

/**
 * What is odd about the names of an archive's members, of which there may be millions: only hashes of them are kept. What
 * differs in case or in the normal form of Unicode alone is one file on some disks, and two on others.
 */
export class NameCensus {
  private readonly seen = new Set<number>();
  private readonly suspicious = new Set<number>();
  private readonly groups = new Map<string, Map<string, number>>();
  private readonly notUtf8: string[] = [];
  private readonly controlled: string[] = [];

  private count = 0;

  /** Whether it was given no name at all. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** To be called for each member, folders too. */
  add(name: Buffer): void {
    this.count++;
    const text = name.toString('utf8');
    if (!isUtf8(name)) this.notUtf8.push(...(this.notUtf8.length < mostNamed ? [bytesOf(name)] : []));
    if (/\p{Cc}/u.test(text) && this.controlled.length < mostNamed) this.controlled.push(printable(text, 200));
    if (text.endsWith('/')) return;
    const hash = hashOf(folded(text));
    if (!this.seen.has(hash)) this.seen.add(hash);
    else if (this.suspicious.size < mostSuspicious) this.suspicious.add(hash);
  }

  /** Whether the members are to be gone through again, for `addAgain`. */
  get mustLookAgain(): boolean {
    return this.suspicious.size > 0;
  }

  addAgain(name: Buffer): void {
    const text = name.toString('utf8');
    const key = folded(text);
    if (text.endsWith('/') || !this.suspicious.has(hashOf(key))) return;
    const group = this.groups.get(key) ?? new Map<string, number>();
    this.groups.set(key, group.set(text, (group.get(text) ?? 0) + 1));
  }

  /** Names that must not be written: a terminal that lists the folder would obey them. */
  get refused(): readonly string[] {
    return this.controlled.map((name) => `"${name}" holds control characters`);
  }

  /** Human-readable; empty where all is as it should be. */
  get notes(): string[] {
    const twice = [...this.groups.values()].flatMap((group) => [...group].filter(([, count]) => count > 1));
    const alike = [...this.groups.values()].filter((group) => group.size > 1).map((group) => [...group.keys()]);
    const named = (names: readonly string[]) => names.slice(0, mostNamed).join('; ');
    const notes: string[] = [];
    if (twice.length > 0) {
      const names = twice.map(([name, count]) => `"${printable(name, 200)}" (${count} times)`);
      notes.push(`${twice.length} names are there more than once, of which the last member counts: ${named(names)}`);
    }
    if (alike.length > 0) {
      const names = alike.map((group) => group.map((name) => `"${escapeBeyondAscii(name)}"`).join(' and '));
      notes.push(`${alike.length} names differ only in case or Unicode normal form: ${named(names)}`);
    }
    if (this.notUtf8.length > 0) notes.push(`names are not UTF-8, and are written as they are: ${named(this.notUtf8)}`);
    return notes;
  }
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Of 53 bits, FNV-1a in two halves: among a million names no two are alike by chance. */
function hashOf(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b) ^ (high >>> 13);
  }
  return (high >>> 0) * 2 ** 21 + ((low >>> 0) & 0x1fffff);
}

/** So that two normal forms can be told apart. */
function escapeBeyondAscii(name: string): string {
  const escaped = name.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return printable(escaped, 200);
}

function bytesOf(name: Buffer): string {
  const text = name
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${printable(text, 200)}"`;
}
