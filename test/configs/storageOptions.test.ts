import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ConfigurationError } from '../../configs/configurationError.js';
import { resolveConfiguration } from '../../configs/load.js';
import { storageSchema, type StorageConfiguration } from '../../configs/schema/storage.js';

const s3 = ['storage:', '  kind: s3', '  bucket: heads'];
const fileOf = (lines: readonly string[]): string => [...s3, ...lines.map((line) => `  ${line}`)].join('\n');

/** What a file says of `storage`, resolved. */
function storageOf(...lines: readonly string[]): StorageConfiguration {
  return storageSchema.parse((parse(fileOf(lines)) as { storage: unknown }).storage);
}

function refused(lines: readonly string[], pattern: RegExp): void {
  assert.throws(
    () => resolveConfiguration(fileOf(lines), 'run.yaml'),
    (error: unknown) => {
      assert.ok(error instanceof ConfigurationError, String(error));
      assert.match(error.message, pattern);
      return true;
    },
  );
}

test('encryption, tags and class are taken as they are set, and are absent where they are not set', () => {
  const storage = storageOf(
    'encryption: { algorithm: "aws:kms", kmsKey: alias/heads, bucketKey: true }',
    'tags: { project: heads, cost-centre: "12 / 34" }',
    'storageClass: INTELLIGENT_TIERING',
  );
  assert.ok(storage.kind === 's3');
  assert.deepEqual(storage.encryption, { algorithm: 'aws:kms', kmsKey: 'alias/heads', bucketKey: true });
  assert.deepEqual(storage.tags, { project: 'heads', 'cost-centre': '12 / 34' });
  assert.equal(storage.storageClass, 'INTELLIGENT_TIERING');
  // A run that was started before these settings were known has the same configuration still.
  assert.deepEqual(
    Object.keys(storageOf()).filter((name) => /encryption|tags|storageClass/.test(name)),
    [],
  );
});

test('what a store would refuse, or a run could not read again, is refused with its setting', () => {
  refused(['encryption: { algorithm: AES256, kmsKey: alias/heads }'], /encryption[^]*AES256 has no key of KMS/);
  refused(['encryption: { algorithm: "aws:kms:dsse", bucketKey: true }'], /aws:kms:dsse knows no bucket keys/);
  refused(['encryption: { algorithm: rot13 }'], /encryption\.algorithm/);
  refused(['storageClass: DEEP_ARCHIVE'], /storageClass[^]*cannot be read at once/);
  refused(['storageClass: standard'], /storageClass[^]*in capitals/);
  refused(['tags: { "aws:team": heads }'], /tags[^]*AWS’s own/);
  refused(['tags: { team: "heads & faces" }'], /tags[^]*letters, digits, blanks/);
  refused([`tags: { ${Array.from({ length: 11 }, (_, i) => `t${i}: x`).join(', ')} }`], /at most 10 tags/);
});
