import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@temporalio/client';
import { orAborted } from '../storage/async/orAborted.js';
import { connectClient } from '../client/connection/client.js';
import { grpcCodeOf } from '../client/connection/connectionProblem.js';
import type { TemporalSettings } from '../client/connection/connectionSettings.js';

/** A question to Temporal, over whichever connection there is then. */
export type Question<T> = (client: Client) => Promise<T>;

/** Milliseconds without an answer that are tolerated: a server that restarts, certificates that come one by one. */
const patience = 5 * 60_000;
/** Milliseconds between two attempts. */
const pause = 2_000;
/** gRPC's: no answer in time, nobody there, not authenticated. */
const passing: readonly (number | null)[] = [4, 14, 16];

export interface LastingOptions {
  readonly client: Client;
  readonly settings: TemporalSettings;
  /** What variables and files say now. */
  readonly read: () => Promise<TemporalSettings>;
  /** Called once per silence, with why there is no answer. */
  readonly warn: (message: string) => void;
}

/** A client that is used for hours and days: certificates, CA and API key that were renewed in their files are taken. */
export class LastingClient {
  private readonly clients: Client[];
  private settings: TemporalSettings;
  private nextAttempt = 0;
  private unfit: unknown = null;

  constructor(private readonly options: LastingOptions) {
    this.clients = [options.client];
    this.settings = options.settings;
  }

  /**
   * Asks, over a new connection where the files have changed; again, for minutes, where there is no answer.
   *
   * @returns null once the signal has come.
   * @throws what the question throws, for other reasons at once.
   */
  async ask<T>(question: Question<T>, signal: AbortSignal): Promise<T | null> {
    let silentSince: number | null = null;
    while (!signal.aborted) {
      // New files may fit the server's later, and the old connection may hold meanwhile.
      const unfit = await this.renew();
      try {
        return await orAborted(question(this.clients.at(-1)!), signal);
      } catch (error) {
        if (!passing.includes(grpcCodeOf(error))) throw error;
        if (silentSince === null)
          this.options.warn(
            `Temporal does not answer (${reason(unfit ?? error)}). Asking again for ${patience / 60_000} minutes.`,
          );
        silentSince ??= performance.now();
        if (performance.now() - silentSince > patience) throw unfit ?? error;
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }

  /** Closes all connections: earlier ones were kept for questions still under way on them. */
  async close(): Promise<void> {
    await Promise.all(this.clients.map(({ connection }) => connection.close()));
  }

  /** @returns why what the files have now cannot be used; null where it is in use. */
  private async renew(): Promise<unknown> {
    try {
      const now = await this.options.read();
      if (isDeepStrictEqual(now, this.settings)) return null;
      if (performance.now() < this.nextAttempt) return this.unfit;
      this.nextAttempt = performance.now() + pause;
      this.clients.push(await connectClient(now));
      this.settings = now;
      return null;
    } catch (error) {
      this.unfit = error;
      return error;
    }
  }
}

/** The innermost cause, without a last full stop. */
function reason(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.name !== 'RunError' && cause.cause instanceof Error) cause = cause.cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  // gRPC wraps what the socket said in words of its own.
  return (/connect E[A-Z]+ [^\s)]*[^\s.)]/.exec(message)?.[0] ?? message).replace(/\.$/, '');
}
