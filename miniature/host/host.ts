import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { applyFault, type Fault } from './hostFaults.js';

export interface MiniatureHostOptions {
  /** Holds the files at their PATHs. */
  readonly directory: string;
  /** The user name and password that it accepts. */
  readonly username: string;
  readonly password: string;
  /** A free port if not said. */
  readonly port?: number;
  /** For tests: what goes wrong with a request; asked once a request that would be answered with a file. */
  readonly faults?: (request: HostRequest) => Fault | undefined;
}

/** What was asked for. */
export interface HostRequest {
  /** PATH. */
  readonly path: string;
  /** As the client sent it. */
  readonly range: string | undefined;
  /** How many requests there were for this PATH before. */
  readonly earlier: number;
}

/** What came of a request, and how many bytes of the file were sent. */
export interface HostRecord extends HostRequest {
  readonly status: number;
  readonly bytes: number;
}

/** A running host of the miniature data. */
export interface MiniatureHost {
  /** `http://127.0.0.1:PORT/download.php`, as a data set's `source.host`. */
  readonly address: string;
  /** Every answered request for a PATH with right credentials, in the order of their ends. */
  readonly records: readonly HostRecord[];
  close(): Promise<void>;
}

const domain = 'tempeh';
const longestForm = 4096;

/**
 * Serves a packaged miniature on 127.0.0.1 as the published host does: POST of `username` and `password` to
 * `/download.php?domain=tempeh&resume=1&sfile=PATH`, byte ranges, ETag and Last-Modified; and its habit of answering
 * wrong credentials, a missing file, or a GET with a web page and status 200.
 */
export async function startMiniatureHost(options: MiniatureHostOptions): Promise<MiniatureHost> {
  const records: HostRecord[] = [];
  const server = createServer((request, response) => {
    answer(request, response, options, records).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/download.php`, records, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MiniatureHostOptions,
  records: HostRecord[],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname !== '/download.php') return sendPage(response, 404, 'Not found', 'There is nothing here.');
  const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams();
  if (form.get('username') !== options.username || form.get('password') !== options.password) {
    return sendPage(response, 200, 'Log in', 'Please log in with the user name and password of your registration.');
  }
  const path = url.searchParams.get('sfile') ?? '';
  const file = url.searchParams.get('domain') === domain ? fileOf(options.directory, path) : undefined;
  const details = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || !details?.isFile()) {
    return sendPage(response, 200, 'Download', 'The file that was asked for could not be found.');
  }
  const earlier = records.filter((record) => record.path === path).length;
  const asked: HostRequest = { path, range: request.headers.range, earlier };
  let bytes = 0;
  response.once('close', () => records.push({ ...asked, status: response.statusCode, bytes }));
  const fault = options.faults?.(asked);
  const validators = {
    ETag: `"${details.size.toString(16)}-${details.mtimeMs.toString(16)}"`,
    'Last-Modified': details.mtime.toUTCString(),
  };
  const headers = { ...validators, 'Accept-Ranges': 'bytes', 'Content-Type': 'application/octet-stream' };
  const range = isCurrent(request, validators) ? request.headers.range : undefined;
  const span = fault?.kind === 'ignoreRange' ? undefined : parseRange(range, details.size);
  if (span === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${details.size}` }).end();
    return;
  }
  const [start, end] = span ?? [0, details.size - 1];
  const contentRange = span ? { 'Content-Range': `bytes ${start}-${end}/${details.size}` } : {};
  const pieces = fault?.kind === 'slow' ? { highWaterMark: Math.ceil(fault.bytesPerSecond / 10) } : {};
  const stream = createReadStream(file, { ...pieces, ...(details.size ? { start, end } : {}) });
  await applyFault(
    fault,
    stream,
    response,
    (announced = end - start + 1) => {
      response.writeHead(span ? 206 : 200, { ...headers, ...contentRange, 'Content-Length': announced });
    },
    (sent) => {
      bytes += sent;
    },
  );
}

/** A range with `If-Range` counts only while the file is what the client saw. */
function isCurrent(request: IncomingMessage, validators: { ETag: string; 'Last-Modified': string }): boolean {
  const seen = request.headers['if-range'];
  return seen === undefined || seen === validators.ETag || seen === validators['Last-Modified'];
}

/** One range of bytes, both ends included; undefined for the whole file. */
function parseRange(range: string | undefined, size: number): [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  return start > end || start >= size ? 'unsatisfiable' : [start, end];
}

/** Where a PATH lies; undefined for one that leaves the folder. */
function fileOf(directory: string, path: string): string | undefined {
  const inside = normalize(path);
  if (path === '' || inside.startsWith('..') || inside.startsWith('/') || inside.includes('\0')) return undefined;
  return join(directory, inside);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > longestForm) break;
  }
  return new URLSearchParams(body);
}

function sendPage(response: ServerResponse, status: number, title: string, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=UTF-8' });
  response.end(`<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><p>${text}</p></body></html>\n`);
}
