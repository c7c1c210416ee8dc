import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is not undefined. @throws Error after the seconds given, naming what did not come. */
export async function waitFor<T>(what: string, ask: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > until) throw new Error(`Waited ${seconds} s in vain for ${what}.`);
    await sleep(50);
  }
}
