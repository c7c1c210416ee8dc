import { setTimeout as sleep } from 'node:timers/promises';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { accepted } from './accepted.js';
import { isExpired, isRefusal, markAcceptedBefore } from './errors/s3Errors.js';
import { jittered } from '../async/persistently.js';
import { isBare, nameOf, statusOf } from './errors/s3Failure.js';
import type { StoreListener } from '../types.js';

/** Milliseconds. Shorter than any sensible `supervision.progressTimeoutSeconds`: each message is a sign of life. */
const firstPause = 500;
const longestPause = 5_000;

/**
 * Where the AWS SDK looks for credentials, in its order: environment, shared files, a process, a token's file, a role of
 * the container or machine. Unlike the SDK's own chain it reads the shared files anew when it is asked to refresh.
 *
 * @param requestHandler how to connect to services that give out credentials; left out, as the SDK does it.
 */
export function renewableCredentials(
  requestHandler?: S3ClientConfig['requestHandler'],
): ReturnType<typeof defaultProvider> {
  return defaultProvider({ ignoreCache: true, ...(requestHandler && { clientConfig: { requestHandler } }) });
}

/**
 * Credentials that expire, or are replaced, while a program runs: a request that is refused although a similar one was accepted
 * before waits in its place, asks for the credentials anew, and is sent again until it is accepted. Of the refusals that do not
 * name the credentials (`AccessDenied`) those count that are of the same kind and folder as a request that was accepted; any
 * other is a missing permission.
 *
 * @param store human-readable.
 * @param listener without one nothing waits: after a second refusal, it is marked as one of credentials that were good.
 */
export function waitForRenewal(client: S3Client, store: string, listener: StoreListener | undefined): void {
  let refusedSince: number | null = null;
  let toldAt = -Infinity;

  /** Several requests wait at a time: one of them reports it. */
  const tell = (cause: unknown): void => {
    const now = performance.now();
    refusedSince ??= now;
    if (now - toldAt < longestPause / 2) return;
    toldAt = now;
    const seconds = Math.round((now - refusedSince) / 1000);
    listener?.warn(
      `${store} refuses the credentials that it accepted before (${nameOf(cause)}). Renew them where they come from: a shared ` +
        'credentials file, a token file or a role is asked again and again; environment variables need a restart of the ' +
        `worker. Work has waited for ${seconds} s, and goes on when they are accepted.`,
    );
  };
  const proven = (kind: string): void => {
    accepted.add(store).add(kind);
    if (refusedSince === null) return;
    listener?.warn(`${store} accepts the credentials again, after ${Math.round(performance.now() - refusedSince)} ms.`);
    refusedSince = null;
    toldAt = -Infinity;
  };

  client.middlewareStack.add(
    (next, context) => async (args) => {
      const kind = kindOf(store, context['commandName'], (args.input as { Key?: string; Prefix?: string }) ?? {});
      const ask = (): Promise<unknown> => client.config.credentials({ forceRefresh: true }).catch(() => undefined);
      for (let pause = firstPause, attempt = 1; ; pause = Math.min(2 * pause, longestPause), attempt++) {
        try {
          const answer = await next(args);
          proven(kind);
          return answer;
        } catch (cause) {
          // The SDK took the store's time from the answer: the next signature is of that time.
          if (attempt === 1 && nameOf(cause) === 'RequestTimeTooSkewed') continue;
          if (!isRefusal(cause)) {
            // Any other answer than a refusal is one to credentials that were accepted, if it says what it is.
            if ((statusOf(cause) ?? 500) < 500 && context['commandName'] !== 'HeadObjectCommand') proven(kind);
            throw cause;
          }
          // The GET of the same object, which is sent next, says why.
          if (context['commandName'] === 'HeadObjectCommand' && isBare(cause)) throw cause;
          if (!accepted.has(isExpired(cause) ? store : kind)) throw cause;
          const waits = listener !== undefined && listener.signal?.aborted !== true;
          if (!waits && attempt > 1) {
            markAcceptedBefore(cause);
            throw cause;
          }
          if (waits) {
            tell(cause);
            const signal = listener.signal && { signal: listener.signal };
            await sleep(jittered(pause), undefined, signal).catch(() => undefined);
          }
        }
        await ask();
      }
    },
    { step: 'initialize', name: 'waitForRenewal' },
  );
}

const actions: Readonly<Record<string, string>> = {
  GetObjectCommand: 'read',
  HeadObjectCommand: 'read',
  ListObjectsV2Command: 'list',
  DeleteObjectsCommand: 'delete',
};

/** What is done, and in which folder of the store: `write runs` … */
function kindOf(store: string, command: unknown, { Key, Prefix }: { Key?: string; Prefix?: string }): string {
  const action = actions[String(command)] ?? 'write';
  const below = (Key ?? Prefix ?? '').slice(store.replace(/^s3:\/\/[^/]*\//, '').length);
  return `${store} ${action} ${below.split('/', 1)[0]}`;
}
