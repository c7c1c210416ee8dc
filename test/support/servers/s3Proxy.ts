import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as sendRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request on its way to the object store. */
export interface SeenRequest {
  readonly method: string;
  /** With the bucket and the store's prefix; empty for requests to the bucket. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** What becomes of a request that is not simply passed on. */
export type Treatment =
  /** Answered here, as S3 does: by default 503 Slow Down. */
  | {
      readonly kind: 'refuse';
      readonly status?: number;
      readonly code?: string;
      readonly message?: string;
      /** More elements of the error's XML. */
      readonly more?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Answered here by a page that is none of S3's. */
  | { readonly kind: 'page'; readonly status: number; readonly page: string }
  /** Passed on; the answer comes with these headers, or without (undefined). */
  | {
      readonly kind: 'answer headers';
      readonly change: Readonly<Record<string, (value: string | undefined) => string | undefined>>;
    }
  /** Carried out by other means, which give the ETag. */
  | { readonly kind: 'put'; readonly put: (body: Buffer) => Promise<string> }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Half of the body reaches the server, then both connections are cut. */
  | { readonly kind: 'cut the body' }
  /** Carried out by other means, which give the answer's XML. */
  | { readonly kind: 'answer'; readonly answer: (body: string) => Promise<string> }
  /** Carried out, but the client never hears of it. */
  | { readonly kind: 'lose the answer' }
  /** Held until it is said what becomes of it; the client may be dead by then. */
  | { readonly kind: 'hold'; readonly until: Promise<'deliver' | 'drop'> };

/** Asked for each request; null passes it on. */
export type Rule = (request: SeenRequest) => Treatment | null;

/** An HTTP proxy in front of an S3 server: the network between the workers and their object store, and its faults. */
export class S3Proxy {
  private rule: Rule = () => null;
  private readonly watchers = new Set<(request: SeenRequest) => void>();
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly server: Server,
    private readonly serverPort: () => number,
  ) {
    server.on('request', (request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** @param serverPort the S3 server's, which may be another after a restart. */
  static async start(serverPort: () => number): Promise<S3Proxy> {
    const proxy = new S3Proxy(createServer(), serverPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on; null passes everything on again. */
  treat(rule: Rule | null): void {
    this.rule = rule ?? (() => null);
  }

  /** The next request that fits is treated; fulfilled when it has come. */
  treatNext(fits: (request: SeenRequest) => boolean, treatment: Treatment): Promise<SeenRequest> {
    return new Promise((resolve) => {
      this.rule = (request) => {
        if (!fits(request)) return null;
        this.rule = () => null;
        resolve(request);
        return treatment;
      };
    });
  }

  /** Fulfilled by the next request that fits and was answered, as it is. */
  answered(fits: (request: SeenRequest) => boolean): Promise<SeenRequest> {
    return new Promise((resolve) => {
      const look = (request: SeenRequest): void => {
        if (!fits(request)) return;
        this.watchers.delete(look);
        resolve(request);
      };
      this.watchers.add(look);
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    this.agent.destroy();
    await once(this.server, 'close');
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '/').slice(1).split('?');
    const { method = '', headers } = request;
    const seen: SeenRequest = { method, path: decodeURIComponent(path), query, headers };
    const treatment = this.rule(seen);
    if (treatment?.kind === 'refuse') {
      request.resume();
      await once(request, 'end');
      const { status = 503, code = 'SlowDown', message = 'As the test has it.', more = '' } = treatment;
      const date = new Date().toUTCString();
      response.writeHead(status, { 'Content-Type': 'application/xml', Date: date, ...treatment.headers });
      response.end(method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`);
      return;
    }
    if (treatment?.kind === 'page') {
      request.resume();
      await once(request, 'end');
      response.writeHead(treatment.status, { 'Content-Type': 'text/html' });
      response.end(method === 'HEAD' ? '' : treatment.page);
      return;
    }
    if (treatment?.kind === 'put') {
      response.writeHead(200, { ETag: await treatment.put(await bodyOf(request)) });
      response.end();
      return;
    }
    if (treatment?.kind === 'delay') await sleep(treatment.milliseconds);
    if (treatment?.kind === 'hold') {
      const body = await bodyOf(request);
      if ((await treatment.until) === 'drop') response.destroy();
      else await this.forward(request, response, seen, body);
    } else if (treatment?.kind === 'answer') {
      const answer = await treatment.answer((await bodyOf(request)).toString());
      response.writeHead(200, { 'Content-Type': 'application/xml' });
      response.end(answer);
    } else if (treatment?.kind === 'cut the body') {
      await this.cut(request, response);
    } else {
      await this.forward(request, response, seen, null, treatment);
    }
  }

  /** @param body what was read of it already; null streams it. */
  private async forward(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    body: Buffer | null,
    treatment: Treatment | null = null,
  ): Promise<void> {
    const upstream = this.open(request);
    if (body === null) request.pipe(upstream);
    else upstream.end(body);
    // A client that is gone must not leave its request half-open at the server.
    response.on('close', () => request.complete || upstream.destroy());
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    if (treatment?.kind === 'lose the answer') {
      answer.resume();
      await once(answer, 'end');
      response.destroy();
      return;
    }
    const headers = { ...answer.headers };
    for (const [name, change] of Object.entries(treatment?.kind === 'answer headers' ? treatment.change : {})) {
      const changed = change(headers[name] as string | undefined);
      if (changed === undefined) delete headers[name];
      else headers[name] = changed;
    }
    response.writeHead(answer.statusCode ?? 502, headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
    answer.once('end', () => {
      for (const watcher of [...this.watchers]) watcher(seen);
    });
  }

  private async cut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upstream = this.open(request);
    upstream.on('error', () => undefined);
    const half = Number(request.headers['content-length'] ?? 0) / 2;
    let sent = 0;
    for await (const chunk of request) {
      const some = (chunk as Buffer).subarray(0, Math.max(0, Math.ceil(half - sent)));
      upstream.write(some);
      sent += some.length;
      if (sent >= half) break;
    }
    await sleep(20);
    upstream.destroy();
    response.destroy();
  }

  private open(request: IncomingMessage): ReturnType<typeof sendRequest> {
    // The proxy itself has told the client to go on.
    const { expect: _, ...headers } = request.headers;
    const { method, url: path } = request;
    const upstream = sendRequest({
      host: '127.0.0.1',
      port: this.serverPort(),
      method,
      path,
      headers,
      agent: this.agent,
    });
    return upstream;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body: Buffer[] = [];
  for await (const chunk of request) body.push(chunk as Buffer);
  return Buffer.concat(body);
}
