import type { S3Client } from '@aws-sdk/client-s3';

/**
 * Seconds that a clock may be wrong before that is reported. NTP keeps clocks within milliseconds: this one nobody sets. A
 * store refuses what is signed a quarter of an hour off (the SDK then signs with the store's time, and says nothing), and by
 * minutes lie the times of logs, attempts and curves.
 */
export const clockTolerance = 120;

/** An answer that took longer says too little about the time. */
const longestAnswer = 60_000;

let ahead: number | null = null;

/** Seconds that this machine's clock is ahead of the store's that answered last; null where none has stated its time. */
export const clockAhead = (): number | null => ahead;

/** The warning about a clock that is wrong; null where it is right, or not known. */
export function clockProblem(): string | null {
  if (ahead === null || Math.abs(ahead) <= clockTolerance) return null;
  const minutes = Math.round(Math.abs(ahead) / 60);
  return `its clock is ${minutes} minutes ${ahead > 0 ? 'ahead of' : 'behind'} the object store's: set it, by NTP. Times that it tells are wrong by as much`;
}

/** Compares the clocks with each answer of the store, also with a refusal. */
export function watchClock(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const sent = performance.now();
      const answer = await next(args);
      const { headers = {} } = answer.response as { headers?: Readonly<Record<string, string>> };
      const took = performance.now() - sent;
      // What a cache kept is of an earlier time.
      const time = headers['age'] === undefined ? Date.parse(headers['date'] ?? '') : NaN;
      if (!Number.isNaN(time) && took < longestAnswer) ahead = Math.round((Date.now() - took / 2 - time) / 1000);
      return answer;
    },
    // Nearest to the answer as it comes.
    { step: 'deserialize', priority: 'low', name: 'watchClock' },
  );
}
