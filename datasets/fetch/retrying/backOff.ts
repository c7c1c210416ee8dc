import { setTimeout as sleep } from 'node:timers/promises';

/** How long is waited after failures, in seconds. */
export interface BackOff {
  /** After the first; doubled with each further one. */
  readonly first: number;
  readonly longest: number;
  /** Failures without a single new byte in between, after which it is given up. */
  readonly attempts: number;
  /** A connection that brings nothing for so long is given up. */
  readonly stall: number;
  /** One that brings fewer bytes a second, over `stall` seconds, too; the default is `slowestRate`. */
  readonly slowest?: number;
}

/** Bytes a second: a volume of 10 GB would take four months. */
export const slowestRate = 1000;

export const defaultBackOff: BackOff = { first: 1, longest: 60, attempts: 12, stall: 60 };

/** The longest that a host's `Retry-After` is followed, s. */
const longestRetryAfter = 3600;
const tick = 5000;

/** Milliseconds before the next attempt; at random within a half, so that several volumes do not ask at once. */
export function waitingTime(backOff: BackOff, failures: number, retryAfter: number | null): number {
  const seconds = Math.min(backOff.longest, backOff.first * 2 ** (failures - 1));
  const wanted = 1000 * seconds * (0.75 + 0.25 * Math.random());
  return Math.min(1000 * longestRetryAfter, Math.max(wanted, retryAfter ?? 0));
}

/** Waits, and says so every few seconds. @throws AbortError */
export async function wait(milliseconds: number, onWait: () => void, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let left = milliseconds; left > 0; left = end - performance.now()) {
    onWait();
    await sleep(Math.min(left, tick), undefined, signal ? { signal } : {});
  }
}

/**
 * What a failed connection is called, the cause included (the message alone does not say it); no address with credentials is in
 * it.
 */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = (cause as NodeJS.ErrnoException).code;
  return `${error.message} (${cause.message || code || cause.name})`;
}

/** Certificates that cannot be trusted do not become better by waiting. */
export function isCertificateFailure(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
  return /^(CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)_|ERR_TLS_CERT)/.test(code);
}
