import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectNotFound, PreconditionFailed, type ObjectInformation, type ObjectStore } from './types.js';

export interface LeaseOptions {
  /** Called with who has it, where it has to be waited for. */
  readonly onWait: (holder: string) => void;
  /** Seconds between a holder's signs of life. */
  readonly renewSeconds?: number;
}

/**
 * Does something while no other process does that asks for the same object, which is there for as long. Its holder writes it anew
 * every `renewSeconds`; where that does not happen for four times as long the holder is gone, and the next one takes over. Only whether
 * it changes is looked at, for clocks differ.
 *
 * @param key of an object that is nothing else.
 */
export async function withLease<T>(
  store: ObjectStore,
  key: string,
  { onWait, renewSeconds = 5 }: LeaseOptions,
  work: () => Promise<T>,
): Promise<T> {
  const lease = new Lease(store, key);
  await lease.take(onWait, renewSeconds);
  let renewing = Promise.resolve();
  const timer = setInterval(() => {
    renewing = renewing.then(() => lease.renew()).catch(() => undefined);
  }, 1000 * renewSeconds);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewing;
    await lease.giveBack();
  }
}

class Lease {
  private readonly token = randomUUID();
  private beats = 0;
  private etag = '';

  constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
  ) {}

  async take(onWait: LeaseOptions['onWait'], renewSeconds: number): Promise<void> {
    for (let hasWaited = false; ; hasWaited = true) {
      if (await this.write({ ifAbsent: true })) return;
      const there = await this.read();
      if (there === null) continue;
      if (!hasWaited) onWait(there.holder);
      if (!(await this.isSilent(there.information, 4 * renewSeconds))) continue;
      if (await this.write({ ifMatch: there.information.etag })) return;
    }
  }

  async renew(): Promise<void> {
    await this.write({ ifMatch: this.etag });
  }

  /** One that has been taken over stays. */
  async giveBack(): Promise<void> {
    if ((await this.read())?.token === this.token) await this.store.delete([this.key]);
  }

  /** @returns whether it is ours now. */
  private async write(condition: { readonly ifAbsent: true } | { readonly ifMatch: string }): Promise<boolean> {
    const holder = `process ${process.pid} on ${hostname()}`;
    const body = Buffer.from(JSON.stringify({ holder, token: this.token, beat: ++this.beats }));
    try {
      this.etag = (await this.store.put(this.key, body, condition)).etag;
      return true;
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
    }
    // A put whose answer was lost is tried again, and finds its own.
    const there = await this.read();
    if (there?.token !== this.token) return false;
    this.etag = there.information.etag;
    return true;
  }

  /** Whether its holder gives no sign of life for so long; not where it is given back. */
  private async isSilent({ etag }: ObjectInformation, seconds: number): Promise<boolean> {
    for (let looks = 0; looks < 40; looks++) {
      await sleep(1000 * (seconds / 40));
      if ((await this.store.head(this.key))?.etag !== etag) return false;
    }
    return true;
  }

  private async read(): Promise<{ information: ObjectInformation; holder: string; token: unknown } | null> {
    try {
      const { body, information } = await this.store.get(this.key);
      return { information, ...parsed(body) };
    } catch (error) {
      if (error instanceof ObjectNotFound) return null;
      throw error;
    }
  }
}

function parsed(body: Uint8Array): { holder: string; token: unknown } {
  try {
    const { holder, token } = JSON.parse(Buffer.from(body).toString()) as { holder: unknown; token: unknown };
    return { holder: String(holder), token };
  } catch {
    return { holder: 'a process that it does not name', token: null };
  }
}
