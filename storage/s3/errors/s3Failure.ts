/** What errors of the SDK have in common; those that the store sent have the fields of its XML, too. */
export interface ServiceFailure {
  readonly name?: string;
  readonly message?: string;
  /** Code of Node's errors: `ECONNREFUSED`. */
  readonly code?: string;
  /** Path of errors about files. */
  readonly path?: string;
  readonly syscall?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  /** Only of what a store itself has said. */
  readonly Code?: string;
  readonly Region?: string;
  readonly Endpoint?: string;
  readonly ServerTime?: string;
  readonly ArgumentName?: string;
  readonly ArgumentValue?: string;
}

export function statusOf(cause: unknown): number | undefined {
  return (cause as ServiceFailure).$metadata?.httpStatusCode;
}

/** The code of an error of the SDK; its status where it has none (the answer to a HEAD has no body). */
export function nameOf(cause: unknown): string {
  const { name = '' } = cause as ServiceFailure;
  return ['', 'Error', 'Unknown', 'UnknownError'].includes(name) ? String(statusOf(cause) ?? name) : name;
}

/** As `nameOf`; for an error of Node's: `ECONNREFUSED`. */
export function codeOf(cause: unknown): string {
  const { code } = cause as ServiceFailure;
  return typeof code === 'string' && statusOf(cause) === undefined ? code : nameOf(cause);
}

/** Whether the SDK sent the request more than once: the first may have been carried out and its answer lost. */
export function wasRetried(cause: unknown): boolean {
  return ((cause as ServiceFailure).$metadata?.attempts ?? 1) > 1;
}

/** Whether an answer was none of S3's, but a page of something that stands before the store. */
export function isUnreadable(cause: unknown): boolean {
  return (cause as ServiceFailure).name === 'Error' && statusOf(cause) !== undefined;
}

/** Whether a refusal says nothing but its status, as the answer to a HEAD: a GET of the same object says why. */
export function isBare(cause: unknown): boolean {
  const status = statusOf(cause) ?? 0;
  return (cause as ServiceFailure).Code === undefined && status >= 300 && status < 500;
}
