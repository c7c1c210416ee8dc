import { FileMissingOnHost, HostCredentialsRefused, UnexpectedAnswer } from './errors.js';

/** Bytes of an answer's start that tell what it is. */
export const startLength = 512;

const zipSignatures = ['504b0304', '504b0506', '504b0708'];

/** Whether a web page came: the host's way of refusing, with status 200. */
export function isPage(contentType: string | null, start: Uint8Array): boolean {
  if (contentType !== null && /^(text\/html|application\/xhtml)/i.test(contentType)) return true;
  return /^\s*(<!doctype\s+html|<html|<\?php)/i.test(Buffer.from(start).toString('latin1').replace(/^ï»¿/, ''));
}

/** The error that a web page stands for. */
export function explainPage(page: string, host: string, path: string): Error {
  const text = page
    .replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const said = `it answered with a web page: "${text.slice(0, 160)}"`;
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
    `What came for ${path} is no ZIP archive: it begins with the bytes ${found || '(none)'}, expected 504b0304 ("PK").`,
  );
}

/** What a status means that is no success. Null: wait and try again. */
export function explainStatus(status: number, host: string, path: string): Error | null {
  if (status === 401 || status === 403) {
    return new HostCredentialsRefused(
      `${host} refuses the user name and password (status ${status}, asked for ${path}). Check them and resume.`,
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
