import { generateKeyPairSync, sign } from 'node:crypto';

/** A DER element. */
function der(tag: number, ...contents: readonly (Uint8Array | number[])[]): Buffer {
  const content = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: readonly (Uint8Array | number[])[]): Buffer => der(0x30, ...parts);
const time = (year: number): Buffer => der(0x18, Buffer.from(`${year}0101000000Z`));
/** ecdsa-with-SHA256, commonName, subjectAltName */
const [signatureAlgorithm, commonName, alternativeName] = [
  [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  [0x55, 0x04, 0x03],
  [0x55, 0x1d, 0x11],
].map((identifier) => der(0x06, identifier)) as [Buffer, Buffer, Buffer];

/** A certificate for 127.0.0.1, and further names, that nobody but its key vouches for, as PEM (RFC 5280). */
export function selfSigned(...names: readonly string[]): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('127.0.0.1')))));
  const algorithm = sequence(signatureAlgorithm);
  const addresses = sequence(der(0x87, [127, 0, 0, 1]), ...names.map((other) => der(0x82, Buffer.from(other))));
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1]),
    algorithm,
    name,
    sequence(time(2020), time(2120)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(alternativeName, der(0x04, addresses)))),
  );
  const certificate = sequence(body, algorithm, der(0x03, [0], sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
