import { printable } from '../../../text/printable.js';
import { FileMissingOnHost, HostCredentialsRefused, UnexpectedAnswer } from '../errors.js';

/** Bytes of an answer's start that tell what it is. */
export const startLength = 512;

const zipSignatures = ['504b0304', '504b0506', '504b0708'];

/** Whether a web page came: the host's way of refusing, with status 200. */
export function isPage(contentType: string | null, start: Uint8Array): boolean {
  if (contentType !== null && /^(text\/html|application\/xhtml)/i.test(contentType)) return true;
  return /^\s*(<!doctype\s+html|<html|<\?php)/i.test(Buffer.from(start).toString('latin1').replace(/^ï»¿/, ''));
}

/** What a page says, without its markup; by one pass over it, whatever it holds. */
function textOf(page: string): string {
  const lower = page.toLowerCase();
  const pieces: string[] = [];
  // From where on there is no further end of the kind: looked for once.
  const absent = new Map<string, number>();
  const endOf = (what: string, from: number): number => {
    if ((absent.get(what) ?? Infinity) <= from) return page.length;
    const at = lower.indexOf(what, from);
    if (at < 0) absent.set(what, from);
    return at < 0 ? page.length : at + what.length;
  };
  for (let at = 0; at < page.length;) {
    const tag = page.indexOf('<', at);
    pieces.push(page.slice(at, tag < 0 ? page.length : tag), ' ');
    if (tag < 0) break;
    const hidden = ['script', 'style'].find((name) => lower.startsWith(name, tag + 1));
    at = hidden === undefined ? endOf('>', tag) : endOf(`</${hidden}>`, tag);
  }
  return pieces.join('').replace(/\s+/g, ' ').trim();
}

/** The error that a web page stands for. */
export function explainPage(page: string, host: string, path: string): Error {
  const text = textOf(page);
  const said = `it answered with a web page: "${printable(text, 160)}"`;
  if (/not\s+(be\s+)?found|no such|does(n.t| not) exist|not available|404/i.test(text)) {
    return new FileMissingOnHost(`${host} has no file ${path}; ${said}.`);
  }
  if (
    /type\s*=\s*["']?password/i.test(page) ||
    /log\s?in|sign\s?in|password|credential|denied|authori[sz]/i.test(text)
  ) {
    return new HostCredentialsRefused(
      `${host} does not accept the user name and password (asked for ${path}); ${said}. Check them, and that the ` +
        `licence was accepted when registering; then give them to the data worker and resume.`,
    );
  }
  return new UnexpectedAnswer(
    `${host} did not send ${path}; ${said}. Expected the file. Wrong credentials or a missing file may be the cause.`,
  );
}

/**
 * Checks what the first bytes of a file can tell: ZIP archives, and first volumes of split ones, have a signature.
 * @throws UnexpectedAnswer
 */
export function checkSignature(path: string, start: Uint8Array): void {
  if (!/\.zip(\.001)?$/.test(path)) return;
  const found = Buffer.from(start.subarray(0, 4)).toString('hex');
  if (zipSignatures.includes(found)) return;
  throw new UnexpectedAnswer(
    `What came for ${path} is not a ZIP archive: it begins with the bytes ${found || '(none)'}, expected 504b0304 ("PK").`,
  );
}

/** What a status means that is no success. Null: wait and try again. */
export function explainStatus(status: number, host: string, path: string): Error | null {
  if (status === 401 || status === 403) {
    return new HostCredentialsRefused(
      `${host} refuses the user name and password (status ${status}, asked for ${path}). Check them and resume.`,
    );
  }
  if (status === 407) {
    return new UnexpectedAnswer(
      `The proxy on the way to ${host} wants a user name and password (status 407): put them into HTTPS_PROXY.`,
    );
  }
  if (status === 404 || status === 410) return new FileMissingOnHost(`${host} has no file ${path} (status ${status}).`);
  if (status === 408 || status === 425 || status === 429 || status >= 500) return null;
  return new UnexpectedAnswer(`${host} answers the request for ${path} with status ${status}; expected 200 or 206.`);
}

/** Milliseconds that `Retry-After` asks for (seconds, or a date); null without. */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
