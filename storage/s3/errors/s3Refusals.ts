import { codeOf, statusOf, type ServiceFailure } from './s3Failure.js';

/**
 * What ends a refusal. `waits`: time does, or somebody at the store or the machine, and the work goes on by itself.
 * `needs a person`: a setting is wrong, and the same request will be refused for ever.
 */
export interface Verdict {
  readonly outcome: 'waits' | 'needs a person';
  /** What to do; a sentence or two. */
  readonly remedy: string;
}

interface Rule {
  readonly outcome: Verdict['outcome'];
  readonly codes: readonly string[];
  readonly remedy: string | ((failure: ServiceFailure) => string);
}

const region = (failure: ServiceFailure): string => {
  const named = failure.Region ?? failure.$response?.headers?.['x-amz-bucket-region'];
  const endpoint = failure.Endpoint === undefined ? '' : `; it answers at ${failure.Endpoint}`;
  return named === undefined
    ? `Set storage.region to the region of the bucket${endpoint}, and storage.endpoint to the server that has it.`
    : `Set storage.region to "${named}", where the bucket is${endpoint}.`;
};

const argument = ({ ArgumentName, ArgumentValue }: ServiceFailure): string => {
  const named =
    ArgumentName === undefined ? '' : `It names ${ArgumentName}${ArgumentValue ? `=${ArgumentValue}` : ''}. `;
  return (
    `${named}Check storage.encryption, storage.storageClass and storage.tags; where it names a checksum or a header ` +
    'that the store does not know, set storage.requestChecksums to "when-required".'
  );
};

const clock = ({ ServerTime }: ServiceFailure): string =>
  `The clock of this machine is wrong (here it is ${new Date().toISOString()}` +
  `${ServerTime === undefined ? '' : `, there ${ServerTime}`}): set it, by NTP. The credentials are not at fault.`;

const quota = 'The quota of the bucket or account, or the disk of the store, is used up: free room there, or raise it.';
const busy = 'The store is busy.';

/** Codes of S3's errors (and of compatible stores), names of Node's, and statuses of answers without a code. */
const rules: readonly Rule[] = [
  {
    outcome: 'needs a person',
    codes: [
      'PermanentRedirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'InvalidLocationConstraint',
      'InvalidRegion',
      '301',
      '308',
    ],
    remedy: region,
  },
  { outcome: 'needs a person', codes: ['InvalidBucketName'], remedy: 'Correct storage.bucket.' },
  { outcome: 'needs a person', codes: ['KeyTooLongError', 'InvalidURI'], remedy: 'Shorten storage.prefix.' },
  {
    outcome: 'needs a person',
    codes: ['MissingContentMD5', 'InvalidDigest'],
    remedy:
      'It was asked again with a Content-MD5, and refuses that, too: set storage.requestChecksums to "when-required", ' +
      'or look for what changes requests on their way to the store.',
  },
  { outcome: 'needs a person', codes: ['InvalidArgument', 'InvalidRequest', 'MalformedXML'], remedy: argument },
  {
    outcome: 'needs a person',
    codes: ['InvalidStorageClass'],
    remedy: 'Set storage.storageClass to one that the store has.',
  },
  { outcome: 'needs a person', codes: ['InvalidTag', 'BadRequest.InvalidTag'], remedy: 'Correct storage.tags.' },
  {
    outcome: 'needs a person',
    codes: [
      'InvalidEncryptionAlgorithmError',
      'InvalidEncryptionRequest',
      'ServerSideEncryptionConfigurationNotFoundError',
    ],
    remedy: 'Correct storage.encryption, or leave it out: the encryption of the bucket then holds.',
  },
  {
    outcome: 'needs a person',
    codes: ['NotImplemented', 'XNotImplemented', 'MethodNotAllowed', '501', '405'],
    remedy:
      'The store lacks this function. Leave out storage.encryption, storage.storageClass and storage.tags where they are ' +
      'set, and set storage.requestChecksums to "when-required"; else use another store.',
  },
  {
    outcome: 'needs a person',
    codes: ['EntityTooLarge', 'EntityTooSmall'],
    remedy: 'The store has other limits of the size of objects or parts than S3 (parts of 16 MiB, objects of 5 TiB).',
  },
  {
    outcome: 'needs a person',
    codes: ['InvalidObjectState'],
    remedy:
      'The object has been moved to an archive: restore it, keep lifecycle rules off what runs need, and set ' +
      'storage.storageClass to one that is read at once.',
  },
  {
    outcome: 'needs a person',
    codes: ['AccountProblem', 'AllAccessDisabled', 'UserSuspended', 'NotSignedUp', 'InvalidPayer', 'InvalidSecurity'],
    remedy: 'Something is wrong with the account, not with the request: ask whoever runs it.',
  },
  {
    outcome: 'needs a person',
    codes: ['407', 'ProxyAuthenticationRequired'],
    remedy: 'The proxy wants a user name and a password: give them in HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT).',
  },
  {
    outcome: 'needs a person',
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_UNTRUSTED',
      'CERT_SIGNATURE_FAILURE',
      'CERT_REVOKED',
    ],
    remedy:
      'Its certificate is not from any of the known authorities: name the file of its authority by AWS_CA_BUNDLE=FILE.',
  },
  {
    outcome: 'needs a person',
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    remedy:
      'Its certificate is for another name: correct storage.endpoint; for a bucket with dots in its name, and where buckets ' +
      'are not names of hosts, set storage.forcePathStyle to true.',
  },
  {
    outcome: 'needs a person',
    codes: ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
    remedy: 'It does not speak TLS there: check the port and whether storage.endpoint begins with https:// or http://.',
  },
  {
    outcome: 'waits',
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    remedy: 'Its certificate has to be renewed at the store, or the clock of this machine is wrong.',
  },
  {
    outcome: 'waits',
    codes: ['ENOTFOUND', 'EAI_AGAIN'],
    remedy: 'No address is known for that name: check storage.endpoint, storage.region and the name server.',
  },
  { outcome: 'waits', codes: ['RequestTimeTooSkewed', 'RequestInTheFuture'], remedy: clock },
  {
    outcome: 'waits',
    codes: [
      'QuotaExceeded',
      'QuotaExceededException',
      'StorageQuotaExceeded',
      'TotalQuotaExceeded',
      'ServiceQuotaExceeded',
      'ServiceQuotaExceededException',
      'StorageLimitExceeded',
      'InsufficientStorage',
      'InsufficientCapacity',
      'XMinioAdminBucketQuotaExceeded',
      'XMinioStorageFull',
      '507',
    ],
    remedy: quota,
  },
  {
    outcome: 'waits',
    codes: [
      'SlowDown',
      'ServiceUnavailable',
      'InternalError',
      'ServerBusy',
      'Throttling',
      'ThrottlingException',
      'KMS.ThrottlingException',
      'KMS.KMSInternalException',
      'KMS.DependencyTimeoutException',
      'RequestLimitExceeded',
      'RequestThrottled',
      'RequestThrottledException',
      'BandwidthLimitExceeded',
      'TooManyRequests',
      'TooManyRequestsException',
      'OperationAborted',
      'ConditionalRequestConflict',
      'TemporaryRedirect',
      '429',
      '302',
      '307',
      '425',
    ],
    remedy: busy,
  },
  {
    outcome: 'waits',
    codes: [
      'RequestTimeout',
      'RequestTimeoutException',
      'IncompleteBody',
      'BadDigest',
      'XAmzContentSHA256Mismatch',
      'XAmzContentChecksumMismatch',
      '408',
    ],
    remedy: 'The body did not arrive as it was sent.',
  },
  {
    outcome: 'waits',
    codes: ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'],
    remedy: 'What was sent in parts is gone: it is sent again.',
  },
];

const table: ReadonlyMap<string, Rule> = new Map(rules.flatMap((rule) => rule.codes.map((code) => [code, rule])));

const kms: Rule = {
  outcome: 'needs a person',
  codes: [],
  remedy:
    'The key that encrypts objects cannot be used: check storage.encryption.kmsKey (or the key of the bucket), that it is ' +
    'enabled, in the region of the bucket, and that the policy of the key lets these credentials use it.',
};

/**
 * What becomes of a request that failed so, where the table of codes knows it. Missing objects, lost conditions and
 * credentials are told apart elsewhere.
 *
 * @param cause an error of the SDK or of Node.
 * @returns null for what the table does not name.
 */
export function verdictOf(cause: unknown): Verdict | null {
  const failure = cause as ServiceFailure;
  const code = codeOf(cause);
  const isRefused = (statusOf(cause) ?? 0) >= 400;
  const isQuota = isRefused && /\bquota\b|cap exceeded|no space left|disk (is )?full/i.test(failure.message ?? '');
  const rule = table.get(code) ?? (code.startsWith('KMS.') ? kms : undefined);
  if (rule === undefined) return isQuota ? { outcome: 'waits', remedy: quota } : null;
  return { outcome: rule.outcome, remedy: typeof rule.remedy === 'string' ? rule.remedy : rule.remedy(failure) };
}

/**
 * What becomes of a refusal that no table names: an answer of 4xx is final and will be the same the next
 * time; whatever else (5xx, a connection that broke) passes.
 */
export function verdictOfUnknown(cause: unknown): Verdict {
  const status = statusOf(cause) ?? 0;
  if (status < 300 || status >= 500) return { outcome: 'waits', remedy: '' };
  const isOfStore = (cause as ServiceFailure).Code !== undefined;
  return {
    outcome: status === 404 ? 'waits' : 'needs a person',
    remedy: isOfStore
      ? 'Asked again, it would say the same: check the settings of storage by what it says.'
      : `The answer (status ${status}) is none of an S3 store: check storage.endpoint, and what stands before the store ` +
        '(HTTPS_PROXY and NO_PROXY, a gateway, a firewall).',
  };
}
