import type { ConnectionOptions } from '@temporalio/client';
import { Client, Connection, credentials, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '../temporal.js';
import { endOnClosed } from './closedConnection.js';
import { explainConnection } from './connectionProblem.js';
import type { TemporalSettings } from './connectionSettings.js';
import { dataConverter } from '../payloads/dataConverter.js';
import { proxyFor } from './proxy.js';
import { clientInterceptors, isTraced } from '../tracing.js';
import { RunError } from '../runError.js';
import { openSocket, shakeHands } from './tlsProbe.js';

export { RunError };

/**
 * A client for the command line; close its `connection` when done.
 *
 * @param environment has the payload keys, if there are any.
 * @throws RunError `unreachable` where Temporal does not answer within seconds; `setting` for what waiting does not
 * mend (TLS, certificates, API key, address); `refused`.
 */
export async function connectClient(
  settings: TemporalSettings,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Client> {
  const { address, namespace, tls, unverified } = settings;
  let connection: Connection | undefined;
  try {
    const proxy = proxyFor(address);
    // gRPC tries on for seconds where nothing listens, or TLS cannot be set up, and does not say why.
    if (tls === undefined) (await openSocket(address, proxy)).destroy();
    else await shakeHands(settings, proxy, unverified !== true);
    connection = Connection.lazy(connectionOptions(settings));
    await connection.ensureConnected();
    const traced = isTraced(environment) && { interceptors: { workflow: await clientInterceptors() } };
    return new Client({ connection, namespace, dataConverter: dataConverter(environment), ...traced });
  } catch (cause) {
    await connection?.close();
    throw cause instanceof RunError ? cause : await explainConnection(settings, cause);
  }
}

function connectionOptions({ address, apiKey, tls, metadata, unverified }: TemporalSettings): ConnectionOptions {
  const proxy = proxyFor(address);
  const credit = proxy?.basicAuth;
  const proxied: Record<string, string> =
    proxy === null
      ? {}
      : {
          'grpc.http_connect_target': `dns:${address}`,
          'grpc.default_authority': address,
          ...(credit === undefined ? {} : { 'grpc.http_connect_creds': `${credit.username}:${credit.password}` }),
        };
  const shared: ConnectionOptions = {
    address: proxy?.address ?? address,
    connectTimeout: '5 seconds',
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endOnClosed],
    // Whether there is a proxy, we say: gRPC would have one for this machine, too.
    channelArgs: { 'grpc.enable_http_proxy': 0, ...proxied },
  };
  if (tls === undefined || unverified !== true) {
    return {
      ...shared,
      ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
      ...(apiKey === undefined ? {} : { apiKey }),
      // Said also where there is none: a key alone would switch it on.
      tls: tls ?? false,
    };
  }
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === true ? {} : tls;
  const buffer = (bytes: Uint8Array | undefined): Buffer | null => (bytes === undefined ? null : Buffer.from(bytes));
  const { crt, key } = clientCertPair ?? {};
  const verify = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  return {
    ...shared,
    credentials: credentials.createSsl(buffer(serverRootCACertificate), buffer(key), buffer(crt), verify),
    channelArgs: {
      ...shared.channelArgs,
      ...(serverNameOverride === undefined ? {} : { 'grpc.ssl_target_name_override': serverNameOverride }),
    },
    metadata: { ...metadata, ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }) },
  };
}
