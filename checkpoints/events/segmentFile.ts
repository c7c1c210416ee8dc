import { PreconditionFailed, type ObjectStore } from '../../storage/types.js';

const putAttempts = 5;

/**
 * The object of one segment, which one attempt writes again and again while it grows. A request that seemed to have failed
 * may be carried out much later (by a server that hung): each put names the version that it replaces, so that an earlier
 * content cannot come after a later one.
 */
export class SegmentFile {
  /** null: there is none; undefined: not known. */
  private etag: string | null | undefined = null;

  constructor(
    private readonly store: ObjectStore,
    readonly key: string,
  ) {}

  async put(body: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const etag = this.etag === undefined ? ((await this.store.head(this.key))?.etag ?? null) : this.etag;
      this.etag = undefined;
      const condition = etag === null ? { ifAbsent: true } : { ifMatch: etag };
      try {
        this.etag = (await this.store.put(this.key, body, { ...condition, ...(signal ? { signal } : {}) })).etag;
        return;
      } catch (cause) {
        // An earlier request of ours has come through in between; nobody else writes here.
        if (!(cause instanceof PreconditionFailed) || attempt === putAttempts) throw cause;
      }
    }
  }
}
