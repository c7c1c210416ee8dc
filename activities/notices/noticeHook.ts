import { spawn } from 'node:child_process';
import { access, constants, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError } from '../../configs/configurationError.js';
import { environmentFor } from '../../configs/processEnvironment.js';
import { noticeKinds, type Notice, type NoticeKind } from './notice.js';
import { webAddress } from '../../text/webAddress.js';

/** Milliseconds that a hook has: a run never waits longer for it. */
const timeout = 5000;

/** Where the owner of a data worker wants notices sent: never what a workflow's input says. */
export interface NoticeHook {
  /** Gets the notice as JSON, by POST. */
  readonly url: URL | null;
  /** A program, without arguments and without a shell: gets the notice as JSON on standard input. */
  readonly command: string | null;
  readonly kinds: ReadonlySet<NoticeKind>;
}

/**
 * Reads `TEMPEH_NOTICE_URL` (or `…_URL_FILE`: such an address is often a secret), `TEMPEH_NOTICE_COMMAND` and
 * `TEMPEH_NOTICE_KINDS` (separated by commas; all if absent). An empty variable counts as one that is not set.
 *
 * @throws ConfigurationError naming the variable, what was found and what is expected.
 */
export async function noticeHook(environment: NodeJS.ProcessEnv): Promise<NoticeHook> {
  const file = environment['TEMPEH_NOTICE_URL_FILE'];
  const text = file ? await addressIn(file) : environment['TEMPEH_NOTICE_URL'];
  const kinds = (environment['TEMPEH_NOTICE_KINDS'] || noticeKinds.join(',')).split(',').map((kind) => kind.trim());
  for (const kind of kinds) {
    if ((noticeKinds as readonly string[]).includes(kind)) continue;
    throw mistake('TEMPEH_NOTICE_KINDS', kind, `some of ${noticeKinds.join(', ')}, separated by commas`);
  }
  const command = environment['TEMPEH_NOTICE_COMMAND'] || null;
  if (command !== null) await checkProgram(command, environment['PATH'] ?? '');
  return {
    url: text ? urlOf(text) : null,
    command,
    kinds: new Set(kinds as NoticeKind[]),
  };
}

async function addressIn(file: string): Promise<string> {
  const wrong = (how: string) =>
    mistake('TEMPEH_NOTICE_URL_FILE', `${file}, which ${how}`, 'a file that holds an address');
  const text = await readFile(file, 'utf8').catch(({ code = '' }: NodeJS.ErrnoException) => {
    throw wrong(`cannot be read (${code})`);
  });
  if (text.trim() === '') throw wrong('is empty');
  return text.trim();
}

/** The address itself may be a secret: it is not quoted. */
function urlOf(text: string): URL {
  const url = webAddress(text);
  if (url !== null) return url;
  throw mistake('TEMPEH_NOTICE_URL', null, 'an address that begins with https:// or http://');
}

/** A program that is missing would be noticed at the first notice: when a run has failed, by nobody. */
async function checkProgram(command: string, searchPath: string): Promise<void> {
  const folders = command.includes('/') ? [''] : searchPath.split(path.delimiter);
  for (const folder of folders) {
    const file = path.join(folder, command);
    const runs = await access(file, constants.X_OK).then(
      // Of a folder it says that it may be entered.
      async () => (await stat(file)).isFile(),
      () => false,
    );
    if (runs) return;
  }
  throw mistake('TEMPEH_NOTICE_COMMAND', command, 'a program that can be run, without arguments');
}

function mistake(setting: string, found: string | null, wanted: string): ConfigurationError {
  return new ConfigurationError([{ where: setting, setting: '', found, expected: `expected ${wanted}` }]);
}

/**
 * Calls the hook; Slack, Mattermost and their like show the field `text`.
 *
 * @returns what went wrong, for the log; empty where all went well, or there was nothing to send.
 */
export async function sendNotice(hook: NoticeHook, notice: Notice): Promise<string[]> {
  if (!hook.kinds.has(notice.kind)) return [];
  const body = JSON.stringify(notice);
  const told = await Promise.allSettled([
    hook.url === null ? null : post(hook.url, body),
    hook.command === null ? null : run(hook.command, body),
  ]);
  return told.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
}

async function post(url: URL, body: string): Promise<void> {
  const where = `TEMPEH_NOTICE_URL (${url.host})`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // Notices go where the owner said, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    });
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const why = cause instanceof Error ? cause.message : (error as Error).message;
    throw new Error(`${where} cannot be notified: ${why}`, { cause: error });
  }
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${where} answers ${response.status} ${response.statusText}`);
}

function run(command: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (how: string): void => reject(new Error(`TEMPEH_NOTICE_COMMAND (${command}) ${how}`));
    const child = spawn(command, [], { env: environmentFor('notice'), stdio: ['pipe', 'ignore', 'ignore'], timeout });
    child.once('error', (error) => failed(`cannot be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else
        failed(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}: it has ${timeout / 1000} s`);
    });
    // That the program does not read its input is no error.
    child.stdin.on('error', () => undefined);
    child.stdin.end(body);
  });
}
