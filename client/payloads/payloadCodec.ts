import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { RunError } from '../runError.js';
import { temporal } from '../temporal.js';
import { keysFileVariable, keysVariable, type PayloadKeys } from './payloadKeys.js';

const encrypted = 'binary/encrypted';
const cipher = 'aes-256-gcm';
const nonceLength = 12;
const tagLength = 16;

const { Payload: message } = temporal.api.common.v1;

/**
 * Encrypts what goes to Temporal, as Temporal's own samples do: AES-256-GCM of the whole payload, the nonce (12 bytes,
 * random) before it and the tag (16 bytes) behind, the key's name in the metadata.
 *
 * @param keys null: nothing is encrypted, and what is encrypted is refused with what to set.
 */
export class EncryptingCodec implements PayloadCodec {
  constructor(private readonly keys: PayloadKeys | null) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    if (this.keys === null) return payloads;
    const { id, key } = this.keys.first();
    return payloads.map((payload) => {
      const nonce = randomBytes(nonceLength);
      const sealing = createCipheriv(cipher, key, nonce);
      const sealed = [nonce, sealing.update(message.encode(payload).finish()), sealing.final(), sealing.getAuthTag()];
      return {
        metadata: {
          encoding: Buffer.from(encrypted),
          'encryption-cipher': Buffer.from('AES-256-GCM'),
          'encryption-key-id': Buffer.from(id),
        },
        data: Buffer.concat(sealed),
      };
    });
  }

  /** What is not encrypted (of before there were keys) is taken as it is. @throws RunError `setting` */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (isEncrypted(payload) ? this.open(payload) : payload));
  }

  private open({ metadata, data }: Payload): Payload {
    const id = Buffer.from(metadata?.['encryption-key-id'] ?? []).toString();
    const name = JSON.stringify(id);
    const key = this.keys?.find(id)?.key;
    if (key === undefined) {
      const have =
        this.keys === null ? `neither ${keysVariable} nor ${keysFileVariable} is set` : 'it is not among ours';
      throw new RunError('setting', `What Temporal has is encrypted with key ${name}, and ${have}.`);
    }
    const bytes = Buffer.from(data ?? []);
    try {
      if (bytes.length < nonceLength + tagLength) throw new Error(`${bytes.length} bytes are too few`);
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceLength), { authTagLength: tagLength });
      opening.setAuthTag(bytes.subarray(-tagLength));
      const sealed = bytes.subarray(nonceLength, -tagLength);
      return message.decode(Buffer.concat([opening.update(sealed), opening.final()]));
    } catch (cause) {
      const why = 'it was changed, or another key bore that name';
      throw new RunError('setting', `What Temporal has is not what was encrypted with key ${name}: ${why}.`, { cause });
    }
  }
}

function isEncrypted({ metadata }: Payload): boolean {
  return Buffer.from(metadata?.['encoding'] ?? []).toString() === encrypted;
}
