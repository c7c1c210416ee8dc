import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority, type KeyPair } from '../support/servers/selfSigned.js';

/** Who calls the frontend, each with a certificate of its own. */
export type Caller = 'operator' | 'data-a' | 'data-b' | 'gpu-a' | 'gpu-b';
export const callers: readonly Caller[] = ['operator', 'data-a', 'data-b', 'gpu-a', 'gpu-b'];

export const serverNames = { frontend: 'frontend.cluster.test', internode: 'internode.cluster.test' } as const;

/** Certificates of a cluster in files, and their rotation: first both CAs are trusted, then the new one issues, then it is alone. */
export class Certificates {
  private old: Authority;
  private next: Authority | null = null;
  private readonly internode = new Authority('internode CA');

  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    this.old = new Authority('CA 1');
    this.trust([this.old]);
    this.issue(this.old);
    this.write('internode-ca.pem', this.internode.cert);
    this.writePair('internode', this.internode.issue('internode', serverNames.internode));
    // Of a CA that nobody trusts.
    this.writePair('stranger', new Authority('stranger').issue('stranger'));
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** What a caller's environment says about TLS. */
  environmentOf(caller: Caller | 'stranger' | 'expelled'): Record<string, string> {
    return {
      TEMPORAL_TLS_SERVER_NAME: serverNames.frontend,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: this.file('ca.pem'),
      TEMPORAL_TLS_CLIENT_CERT_PATH: this.file(`${caller}.pem`),
      TEMPORAL_TLS_CLIENT_KEY_PATH: this.file(`${caller}.key`),
    };
  }

  /** From now on a second CA is trusted too, by those who read the files anew. */
  trustNext(): void {
    this.next = new Authority('CA 2');
    this.trust([this.old, this.next]);
  }

  /** Everybody gets a certificate of the second CA; `expelled` keeps one of the first. */
  issueNext(): void {
    this.writePair('expelled', this.old.issue('operator'));
    this.issue(this.next!);
  }

  /** The first CA is trusted no more. */
  distrustOld(): void {
    this.old = this.next!;
    this.trust([this.old]);
  }

  private trust(authorities: readonly Authority[]): void {
    this.write('ca.pem', authorities.map(({ cert }) => cert).join(''));
  }

  private issue(authority: Authority): void {
    this.writePair('frontend', authority.issue('frontend', serverNames.frontend));
    this.writePair('system-worker', authority.issue('system worker'));
    for (const caller of callers) this.writePair(caller, authority.issue(caller));
  }

  private writePair(name: string, { key, cert }: KeyPair): void {
    this.write(`${name}.key`, key);
    this.write(`${name}.pem`, cert);
  }

  /** Whole, or not: a reader never sees half of a file. */
  private write(name: string, text: string): void {
    const file = this.file(name);
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
