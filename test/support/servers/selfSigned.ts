import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** A DER element. */
function der(tag: number, ...contents: readonly (Uint8Array | number[])[]): Buffer {
  const content = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const { length: count } = content;
  // The shortest form: readers stricter than OpenSSL take no other.
  const length = count < 128 ? [count] : count < 256 ? [0x81, count] : [0x82, count >> 8, count & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: readonly (Uint8Array | number[])[]): Buffer => der(0x30, ...parts);
const time = (year: number): Buffer => der(0x18, Buffer.from(`${year}0101000000Z`));
/** ecdsa-with-SHA256, commonName, subjectAltName, basicConstraints */
const [signatureAlgorithm, commonName, alternativeName, basicConstraints] = [
  [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  [0x55, 0x04, 0x03],
  [0x55, 0x1d, 0x11],
  [0x55, 0x1d, 0x13],
].map((identifier) => der(0x06, identifier)) as [Buffer, Buffer, Buffer, Buffer];

const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));

/** A certificate for 127.0.0.1, and further names, that nobody but its key vouches for, as PEM (RFC 5280). */
export function selfSigned(...names: readonly string[]): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = { issuer: '127.0.0.1', subject: '127.0.0.1', publicKey, extension: servesAs(names) };
  return pair(privateKey, certified(certificate, privateKey));
}

/** A CA of a test's own. */
export class Authority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** Its own certificate, as PEM. */
  readonly cert: string;

  constructor(private readonly name: string) {
    const { publicKey, privateKey } = this.keys;
    const isAuthority = sequence(basicConstraints, [0x01, 0x01, 0xff], der(0x04, sequence([0x01, 0x01, 0xff])));
    const certificate = { issuer: name, subject: name, publicKey, extension: isAuthority };
    this.cert = certified(certificate, privateKey);
  }

  /** @param names that a server with it goes by, beside 127.0.0.1. */
  issue(subject: string, ...names: readonly string[]): KeyPair {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = { issuer: this.name, subject, publicKey, extension: servesAs(names) };
    return pair(privateKey, certified(certificate, this.keys.privateKey));
  }
}

const servesAs = (names: readonly string[]): Buffer => {
  const addresses = sequence(der(0x87, [127, 0, 0, 1]), ...names.map((other) => der(0x82, Buffer.from(other))));
  return sequence(alternativeName, der(0x04, addresses));
};

function certified(
  about: {
    readonly issuer: string;
    readonly subject: string;
    readonly publicKey: KeyObject;
    readonly extension: Buffer;
  },
  signer: KeyObject,
): string {
  const algorithm = sequence(signatureAlgorithm);
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    // Positive, and without leading zeros.
    der(0x02, [0x40], randomBytes(8)),
    algorithm,
    nameOf(about.issuer),
    sequence(time(2020), time(2120)),
    nameOf(about.subject),
    about.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(about.extension)),
  );
  const certificate = sequence(body, algorithm, der(0x03, [0], sign('sha256', body, signer)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const pair = (privateKey: KeyObject, cert: string): KeyPair => ({
  key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  cert,
});
