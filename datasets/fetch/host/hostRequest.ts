import { printable } from '../../../text/printable.js';
import { askHttp, type HttpAnswer } from './httpAnswer.js';
import { HostUntrusted, UnexpectedAnswer } from '../errors.js';
import { isThisMachine } from './thisMachine.js';

export interface HostCredentials {
  readonly username: string;
  readonly password: string;
  /** They may be sent to another machine without TLS, where whoever forwards them can read them. */
  readonly inClear?: boolean;
}

const mostRedirections = 5;

/**
 * Checks that credentials stay between the host and us: sent over TLS, or to this machine.
 *
 * @param inClear whoever configured it knows, and wants it nevertheless.
 * @throws HostUntrusted
 */
export function requireSecrecy(host: string, inClear: boolean): void {
  const { protocol, hostname, origin } = new URL(host);
  if (protocol === 'https:' || inClear || isThisMachine(hostname)) return;
  throw new HostUntrusted(
    `${origin} is asked by plain http: the user name and password would cross the network in clear, and nothing would ` +
      'prove what comes back. Nothing was sent. Use its https address (dataset.source.host, --host); if the network ' +
      'between is trusted, allow it by dataset.source.passwordInClear: true (--password-in-clear).',
  );
}

/**
 * Asks the host for a file (method 1): a POST of user name and password, with `domain`, `resume` and `sfile`.
 * Where the host points elsewhere, that is asked without the credentials.
 *
 * @param host `https://…/download.php`
 * @throws HostUntrusted, UnexpectedAnswer for redirections that are not followed.
 */
export async function requestFile(
  host: string,
  path: string,
  credentials: HostCredentials,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  requireSecrecy(host, credentials.inClear ?? false);
  const url = new URL(host);
  url.searchParams.set('domain', 'tempeh');
  url.searchParams.set('resume', '1');
  url.searchParams.set('sfile', path);
  // Compressed in transit, ranges would count other bytes than the file's.
  const common = { ...headers, 'Accept-Encoding': 'identity' };
  const { username, password } = credentials;
  const form = new URLSearchParams({ username, password });
  let response = await askHttp(url, { headers: common, form, signal });
  for (let hop = 0; response.status >= 300 && response.status < 400 && response.status !== 304; hop++) {
    const location = response.header('location');
    response.cancel();
    if (location === null || response.status > 303 || hop === mostRedirections) {
      throw new UnexpectedAnswer(
        `${url.origin} answers the request for ${path} with a redirection that is not followed (status ` +
          `${response.status}, to ${printable(location ?? 'nowhere')}): set dataset.source.host to the address that it points to.`,
      );
    }
    const target = targetOf(location, url, path);
    if (url.protocol === 'https:' && target.protocol !== 'https:') {
      throw new HostUntrusted(
        `${url.origin} redirects the request for ${path} from https to ${target.origin}, where nothing would prove what ` +
          'is sent: not followed. Look at dataset.source.host (--host).',
      );
    }
    response = await askHttp(target, { headers: common, signal });
  }
  return response;
}

/** Where a host points to. @throws UnexpectedAnswer for what is no address of the web. */
function targetOf(location: string, url: URL, path: string): URL {
  const target = URL.canParse(location, url.href) ? new URL(location, url) : null;
  if (target !== null && (target.protocol === 'https:' || target.protocol === 'http:')) return target;
  throw new UnexpectedAnswer(
    `${url.origin} redirects the request for ${path} to "${printable(location, 120)}", which is not an http(s) address: not ` +
      'followed. Look at dataset.source.host (--host).',
  );
}

/** The size of the whole file, as the answer states it; null if it does not. */
export function statedSize(response: HttpAnswer): number | null {
  if (response.status === 206 || response.status === 416) {
    const total = /\/(\d+)$/.exec(response.header('content-range') ?? '')?.[1];
    return total === undefined ? null : Number(total);
  }
  const length = response.header('content-length');
  return length === null ? null : Number(length);
}

/** What tells whether a file is still the one that was begun. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export function validatorsOf(response: HttpAnswer): Validators {
  return { etag: response.header('etag'), lastModified: response.header('last-modified') };
}

/** What `If-Range` may hold: weak ETags say nothing about bytes. */
export function rangeValidator({ etag, lastModified }: Validators): string | null {
  return etag !== null && !etag.startsWith('W/') ? etag : lastModified;
}

/** False only if the host's answer speaks of another version. */
export function sameVersion(before: Validators, now: Validators): boolean {
  if (before.etag !== null && now.etag !== null) return before.etag === now.etag;
  if (before.lastModified !== null && now.lastModified !== null) return before.lastModified === now.lastModified;
  return true;
}
