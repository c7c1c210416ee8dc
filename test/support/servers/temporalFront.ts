import { once } from 'node:events';
import {
  connect,
  createSecureServer,
  createServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { SecureContextOptions, Server as TlsServer, TlsOptions } from 'node:tls';

/** A gRPC call on its way to Temporal. */
export interface SeenCall {
  /** `PollActivityTaskQueue` */
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** How a call is refused: a status of gRPC and its message. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** A front before a Temporal server, with TLS if wanted: the network between it and us, its proxies and its faults. */
export class TemporalFront {
  /** Asked for each call; null passes it on. */
  rule: (call: SeenCall) => Refusal | null = () => null;
  /** The methods of all calls so far. */
  readonly seen: string[] = [];
  private readonly sockets = new Set<Socket>();
  private upstream: ClientHttp2Session | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    });
    server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined));
    server.on('sessionError', () => undefined).on('tlsClientError', () => undefined);
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => this.handle(stream, headers));
  }

  /** @param target the server's `host:port` @param tls asked of those who connect */
  static async start(target: string, tls?: TlsOptions): Promise<TemporalFront> {
    const server = (tls === undefined ? createServer() : createSecureServer(tls)) as unknown as Server;
    const front = new TemporalFront(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Another certificate from now on; connections that there are are cut, as by a restart. */
  renew(context: SecureContextOptions): void {
    (this.server as TlsServer).setSecureContext(context);
    this.cut();
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.upstream?.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    this.seen.push(method);
    stream.on('error', () => undefined);
    const refusal = this.rule({ method, headers });
    if (refusal !== null) {
      const trailers = { 'grpc-status': String(refusal.status), 'grpc-message': encodeURIComponent(refusal.message) };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
      stream.resume();
      return;
    }
    const { host: _, ...rest } = headers;
    const call = this.session().request({ ...rest, ':authority': this.target, ':scheme': 'http' });
    call.on('error', () => stream.close());
    stream.on('close', () => call.close());
    stream.pipe(call);
    let trailers: IncomingHttpHeaders = {};
    call.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
    call.on('response', (answer, flags) => {
      const endStream = (flags & 1) !== 0;
      if (stream.destroyed) return;
      stream.respond({ ...answer }, endStream ? { endStream } : { waitForTrailers: true });
      if (endStream) return;
      stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
      call.pipe(stream);
    });
  }

  private session(): ClientHttp2Session {
    if (this.upstream === undefined || this.upstream.destroyed || this.upstream.closed) {
      this.upstream = connect(`http://${this.target}`);
      this.upstream.on('error', () => undefined).setMaxListeners(0);
    }
    return this.upstream;
  }
}
