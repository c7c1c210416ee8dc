import { isGrpcServiceError } from '../temporal.js';
import type { TemporalSettings } from './connectionSettings.js';
import { hostOf, proxyFor } from './proxy.js';
import { RunError } from '../runError.js';
import { openSocket, shakeHands } from './tlsProbe.js';

const grpcCodes = {
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What the SDK's core says when a worker is made: it has no class of its own. */
const workersWords = /^Namespace .* was not found.*code: NotFound/s;

/** The status of the gRPC call that failed; null where none did. */
export function grpcCodeOf(error: unknown): number | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return Number(cause.code);
  }
  return null;
}

/** Why Temporal refused a call, and what to do; null where it is about the call itself. */
export function explainRefusal({ address, namespace, apiKey }: TemporalSettings, error: unknown): RunError | null {
  const cause = error;
  const details = detailsOf(error);
  const noNamespace =
    error instanceof Error && (error.name === 'NamespaceNotFoundError' || workersWords.test(error.message));
  switch (noNamespace ? grpcCodes.notFound : grpcCodeOf(error)) {
    case grpcCodes.unauthenticated: {
      const what = apiKey === undefined ? 'There is no API key' : 'The API key may be wrong, or have expired';
      const todo = `${what}: TEMPORAL_API_KEY, or TEMPORAL_API_KEY_FILE`;
      return new RunError('setting', `Temporal at ${address} refuses our credentials (${details}). ${todo}.`, {
        cause,
      });
    }
    case grpcCodes.permissionDenied: {
      const todo = `Ask its operator for permission in namespace ${namespace}, or name another (--namespace)`;
      return new RunError('refused', `Temporal at ${address} does not permit it (${details}). ${todo}.`, { cause });
    }
    case grpcCodes.notFound: {
      if (!/namespace/i.test(details)) return null;
      const todo = `Name another (--namespace, TEMPORAL_NAMESPACE), or make it: tempeh-flow namespace init --create`;
      return new RunError('setting', `Temporal at ${address} has no namespace ${namespace}. ${todo}.`, { cause });
    }
    default:
      return null;
  }
}

function detailsOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.details;
  }
  return String(error);
}

/**
 * Why no connection can be made: looks at each layer by itself, name, port, proxy, TLS.
 *
 * @returns `setting` for what waiting does not help; `unreachable` otherwise.
 */
export async function explainConnection(settings: TemporalSettings, cause: unknown): Promise<RunError> {
  const { address, tls } = settings;
  const refusal = explainRefusal(settings, cause);
  if (refusal !== null) return refusal;
  const proxy = proxyFor(address);
  const through = proxy === null ? '' : ` through the proxy ${proxy.address}`;
  const unreachable = (why: string): RunError => {
    const todo = 'Start it (tempeh-flow dev), or set TEMPORAL_ADDRESS';
    return new RunError('unreachable', `Temporal does not answer at ${address}${through}: ${why}. ${todo}.`, { cause });
  };
  try {
    (await openSocket(address, proxy)).destroy();
  } catch (error) {
    return unreachable(explainSocket(error));
  }
  const setting = (why: string, todo: string): RunError => {
    return new RunError('setting', `There is no connection to Temporal at ${address}: ${why}. ${todo}.`, { cause });
  };
  if (tls === undefined) {
    const speaksTls = await shakeHands(settings, proxy, false).then(
      () => true,
      (error: unknown) => /ALERT/.test(codeOf(error)),
    );
    if (!speaksTls) return unreachable(cause instanceof Error ? cause.message : String(cause));
    const todo =
      'Set TEMPORAL_TLS=true, and TEMPORAL_TLS_SERVER_CA_CERT_PATH where its certificate is from a private CA';
    return setting('it speaks TLS, and TLS is not switched on', todo);
  }
  try {
    await shakeHands(settings, proxy, settings.unverified !== true);
  } catch (error) {
    const [why, todo] = explainTls(error, settings);
    return todo === null ? unreachable(why) : setting(why, todo);
  }
  return unreachable(cause instanceof Error ? cause.message : String(cause));
}

function codeOf(error: unknown): string {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  return code ?? message ?? String(error);
}

function explainSocket(error: unknown): string {
  const code = codeOf(error);
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'the name is not known',
    EAI_AGAIN: 'the name cannot be looked up just now',
    ABORT_ERR: 'no answer within 5 s',
    ETIMEDOUT: 'no answer',
    EHOSTUNREACH: 'there is no way to that host',
  };
  return known[code] ?? (error instanceof Error ? error.message : code);
}

/** What is wrong about TLS, and what to set; null for what may pass. */
function explainTls(error: unknown, { address, tls }: TemporalSettings): [string, string | null] {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : code;
  const settings = tls === true ? {} : (tls ?? {});
  const name = settings.serverNameOverride ?? hostOf(address);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const todo = 'Set TEMPORAL_TLS_SERVER_NAME to a name that it is for';
    return [`the server's certificate is not for ${name} (${message})`, todo];
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return [`the server's certificate is not valid at this time, or the clock here is wrong (${message})`, null];
  }
  if (/SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_SIGNATURE|CERT_UNTRUSTED|INVALID_CA/.test(code)) {
    const whose =
      settings.serverRootCACertificate === undefined ? 'no CA that this machine trusts' : 'the CA that was given';
    const todo = 'Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of its CA';
    return [`the server's certificate is not from ${whose} (${code})`, todo];
  }
  if (/KEY_VALUES_MISMATCH|PEM|X509|DECODER|ASN1|BAD_BASE64/.test(code)) {
    const todo = 'See TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH and TEMPORAL_TLS_SERVER_CA_CERT_PATH';
    return [`certificate and key cannot be used (${message})`, todo];
  }
  if (/ALERT/.test(code)) {
    const given =
      settings.clientCertPair === undefined ? 'it wants a client certificate' : 'it refuses our certificate';
    return [`${given} (${code})`, 'Set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH'];
  }
  if (/WRONG_VERSION|PACKET_LENGTH|EPROTO|ECONNRESET|HTTP_REQUEST/.test(code)) {
    return ['it speaks no TLS', 'TLS is on by TEMPORAL_TLS, an API key, certificates or the profile: unset it'];
  }
  return [message, null];
}
