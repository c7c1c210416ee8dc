import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority, type KeyPair } from './selfSigned.js';

/** A CA, and certificates of it for a front that asks for certificates of the same. */
export function issued(name: string) {
  const authority = new Authority(name);
  const [server, client] = [authority.issue('server'), authority.issue('client')];
  return { ca: authority.cert, client, context: { ...server, ca: authority.cert } };
}

/** Files that an agent renews. */
export class TlsFiles {
  constructor(private readonly folder: string) {}

  /** A new file takes the place of the old one. */
  put(name: string, content: string): string {
    const file = join(this.folder, name);
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return file;
  }

  /** @returns the variables that name them. */
  write({ ca, client }: { readonly ca: string; readonly client: KeyPair }): Record<string, string> {
    return {
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: this.put('ca.pem', ca),
      TEMPORAL_TLS_CLIENT_CERT_PATH: this.put('client.pem', client.cert),
      TEMPORAL_TLS_CLIENT_KEY_PATH: this.put('client.key', client.key),
    };
  }
}
