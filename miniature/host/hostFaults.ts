import type { ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with a download. */
export type Fault =
  /** The connection is cut after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Another status, `Retry-After` in seconds with it. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The headers are sent, then nothing more happens until the client gives up. */
  | { readonly kind: 'hang' }
  /** The whole file is sent whatever range was asked for. */
  | { readonly kind: 'ignoreRange' }
  /** The head announces another length than the body then has; a body that is shorter ends the connection. */
  | { readonly kind: 'wrongLength'; readonly announced: number; readonly sent: number }
  /** One bit of the body is another. */
  | { readonly kind: 'flip'; readonly atByte: number };

/**
 * Sends a file's bytes, with the fault.
 *
 * @param sendHead writes status and headers of the answer without fault, or with another length.
 * @param onSent is called with how many bytes of the file were sent.
 */
export async function applyFault(
  fault: Fault | undefined,
  stream: ReadStream,
  response: ServerResponse,
  sendHead: (announced?: number) => void,
  onSent: (bytes: number) => void,
): Promise<void> {
  if (fault?.kind === 'status') {
    stream.destroy();
    const retryAfter = fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) };
    response.writeHead(fault.status, { 'Content-Type': 'text/plain', ...retryAfter });
    response.end('The server has a problem.\n');
    return;
  }
  sendHead(fault?.kind === 'wrongLength' ? fault.announced : undefined);
  if (fault?.kind === 'hang') {
    stream.destroy();
    response.flushHeaders();
    return;
  }
  let sent = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (response.destroyed) return;
    const most = fault?.kind === 'cut' ? fault.afterBytes : fault?.kind === 'wrongLength' ? fault.sent : Infinity;
    if (sent + chunk.length >= most) {
      const rest = chunk.subarray(0, Math.max(0, most - sent));
      await send(response, rest);
      onSent(rest.length);
      // What was sent is taken; a reset at once would take it back from the client's buffers. A client of this process has so
      // many turns of the event loop for that, however busy the machine is.
      for (let turn = 0; turn < 20; turn++) await sleep(5);
      response.destroy();
      return;
    }
    if (fault?.kind === 'flip' && fault.atByte >= sent && fault.atByte < sent + chunk.length) {
      chunk[fault.atByte - sent]! ^= 1;
    }
    if (fault?.kind === 'slow') await sleep((1000 * chunk.length) / fault.bytesPerSecond);
    await send(response, chunk);
    onSent(chunk.length);
    sent += chunk.length;
  }
  response.end();
}

/** Resolves when the bytes are handed to the connection, or the connection is gone. */
function send(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.write(chunk, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}
