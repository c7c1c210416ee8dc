import type { ObjectStore } from '../../storage/types.js';

/**
 * The ETags of objects `PREFIX/GROUP/NAME`: each group is listed once, when the first of its objects is asked for. Forty
 * bytes an object, for as long as this lives.
 */
export class ListedVersions {
  /** Lines, between line feeds: of each object its name, then its ETag. No ETag is a frame's name. */
  private readonly groups = new Map<string, Promise<string>>();

  constructor(
    private readonly store: Pick<ObjectStore, 'list'>,
    private readonly prefix: string,
  ) {}

  /** null where the list does not have it: it may have been written since. */
  async etagOf(group: string, name: string): Promise<string | null> {
    let listing = this.groups.get(group);
    if (listing === undefined) {
      listing = this.list(`${this.prefix}/${group}/`);
      this.groups.set(group, listing);
      // What could not be listed is asked for again by the next object.
      listing.catch(() => this.groups.delete(group));
    }
    const text = await listing;
    const start = text.indexOf(`\n${name}\n`);
    if (start < 0) return null;
    const from = start + name.length + 2;
    return text.slice(from, text.indexOf('\n', from));
  }

  private async list(prefix: string): Promise<string> {
    const lines: string[] = [''];
    for await (const { key, etag } of this.store.list(prefix)) lines.push(key.slice(prefix.length), etag);
    lines.push('');
    return lines.join('\n');
  }
}
