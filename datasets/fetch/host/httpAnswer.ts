import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { proxyFor } from './proxy.js';

/** Thrown when a connection cannot be had, or ends before its answer does: trying again may help. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed';
}

/** What a host answers. The body is to be read, or cancelled. */
export interface HttpAnswer {
  readonly status: number;
  /** null where there is none. */
  header(name: string): string | null;
  /** @throws ConnectionFailed, or the reason of the request's signal. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What is still to come is not wanted. */
  cancel(): void;
}

export interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; without it, GET. */
  readonly form?: URLSearchParams;
  readonly signal: AbortSignal;
}

/**
 * Asks by Node's own client, redirections not followed, certificates verified: `fetch` costs nearly twice the processor
 * time for each byte that comes.
 *
 * @throws ConnectionFailed, or the signal's reason.
 */
export async function askHttp(url: URL, { headers, form, signal }: HttpRequest): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const body = form?.toString();
  const ofForm =
    body === undefined
      ? {}
      : {
          'Content-Type': 'application/x-www-form-urlencoded;charset=UTF-8',
          'Content-Length': Buffer.byteLength(body),
        };
  const failed = (cause: unknown): Error =>
    signal.aborted ? (signal.reason as Error) : new ConnectionFailed('the connection failed', { cause });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const method = body === undefined ? 'GET' : 'POST';
    const agent = proxyFor(url);
    const options = { method, headers: { ...headers, ...ofForm }, signal, ...(agent ? { agent } : {}) };
    const request = send(url, options, resolve);
    request.on('error', (error) => reject(failed(error)));
    request.end(body);
  });
  // Thrown to whoever reads the body.
  response.on('error', () => undefined);
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
    },
    body: bodyOf(response, failed),
    cancel: () => void response.destroy(),
  };
}

async function* bodyOf(response: IncomingMessage, failed: (cause: unknown) => Error): AsyncGenerator<Uint8Array> {
  const chunks = (response as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((cause: unknown) => {
        throw failed(cause);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    response.destroy();
  }
}
