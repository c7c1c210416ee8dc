import { readFileSync } from 'node:fs';

let known: ReadonlySet<string> | undefined;

/**
 * Whether the processor has an extension, by Linux's name of its flag (`avx512f`, `avx512_bf16`, `amx_bf16`). False where
 * nothing is known of it.
 */
export function processorHas(flag: string): boolean {
  known ??= new Set(flags());
  return known.has(flag);
}

function flags(): string[] {
  try {
    const [, listed = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return listed.trim().split(/\s+/);
  } catch {
    // Not Linux.
    return [];
  }
}
