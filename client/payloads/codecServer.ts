import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  /** Of the Temporal UI, as its pages send it: `http://127.0.0.1:8233`. */
  readonly origins: readonly string[];
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
}

export interface CodecServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Temporal takes no payload above 2 MB; a page asks for those of many events at once. */
const largestBody = 64 * 2 ** 20;

const base64 = z.string().regex(/^[A-Za-z0-9+/_-]*=*$/);
const requestSchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() })),
});

/**
 * Decrypts and encrypts for the Temporal UI (`POST /decode`, `POST /encode`, as Temporal defines them), for pages of the
 * given origins and for nobody else's.
 */
export async function startCodecServer({ codec, origins, host, port }: CodecServerOptions): Promise<CodecServer> {
  const server = createServer((request, response) => {
    void answer(request, response, codec, origins).catch((error: unknown) => {
      const { message } = error as Error;
      send(response, error instanceof BadRequest ? 400 : 500, { message });
    });
  });
  server.listen({ host, port });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class BadRequest extends Error {}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  codec: PayloadCodec,
  origins: readonly string[],
): Promise<void> {
  const { origin } = request.headers;
  response.setHeader('Vary', 'Origin');
  // A browser says whose page asks. What says nothing is no page of the UI.
  if (origin === undefined || !origins.includes(origin)) {
    return send(response, 403, { message: `This server answers pages of ${origins.join(', ')} only.` });
  }
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Methods', 'POST, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type, x-namespace');
  if (request.method === 'OPTIONS') {
    response.writeHead(204).end();
    return;
  }
  const way = /\/(encode|decode)$/.exec(new URL(request.url ?? '/', 'http://localhost').pathname)?.[1];
  if (request.method !== 'POST' || way === undefined) {
    return send(response, 404, { message: 'Expected POST /encode or POST /decode.' });
  }
  const payloads = parse(await bodyOf(request));
  send(response, 200, { payloads: (await codec[way as 'encode' | 'decode'](payloads)).map(toJson) });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > largestBody) throw new BadRequest(`More than ${largestBody} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): Payload[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BadRequest(`No JSON: ${(cause as Error).message}`);
  }
  const checked = requestSchema.safeParse(value);
  if (!checked.success) throw new BadRequest(z.prettifyError(checked.error));
  return checked.data.payloads.map(({ metadata = {}, data = '' }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }));
}

function toJson({ metadata, data }: Payload): object {
  const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)]);
  return { metadata: Object.fromEntries(entries) as Record<string, string>, data: text(data) };
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
