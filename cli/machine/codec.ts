import { randomBytes } from 'node:crypto';
import { startCodecServer } from '../../client/payloads/codecServer.js';
import { dataConverter } from '../../client/payloads/dataConverter.js';
import { keysFileVariable, keysVariable, PayloadKeys } from '../../client/payloads/payloadKeys.js';
import { listenForStop } from '../../workers/lifecycle/stopRequest.js';
import { orCommandError } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { print } from '../terminal/print.js';
import { aborted } from '../../storage/async/aborted.js';
import { webAddress } from '../../text/webAddress.js';

interface ServeOptions {
  readonly ui: readonly string[];
  readonly host: string;
  readonly port: number;
}

/** Serves the Temporal UI what it cannot read by itself, until it is stopped. @returns the exit code. */
export async function serveCodec({ ui, host, port }: ServeOptions): Promise<ExitCode> {
  const { codec, origins } = await orCommandError(Promise.resolve().then(() => prepared(ui)));
  const stop = listenForStop();
  try {
    const server = await startCodecServer({ codec, origins, host, port });
    print(`Codec server for ${origins.join(', ')}: ${server.url}`);
    if (!/^(127\.|localhost$|::1$)/.test(host)) {
      process.stderr.write(`Whoever reaches ${server.url} can read what is encrypted: let nothing else reach it.\n`);
    }
    await aborted(stop.signal);
    await server.close();
    return exitCodes.ok;
  } finally {
    stop.release();
  }
}

function prepared(ui: readonly string[]) {
  if (PayloadKeys.of(process.env) === null) {
    throw new CommandError(`Set ${keysFileVariable} or ${keysVariable}: there is no key.`, exitCodes.usage);
  }
  const origins = ui.map((address) => {
    const url = webAddress(address);
    if (url !== null) return url.origin;
    throw new CommandError(`--ui ${address}: expected the address of the Temporal UI, https://…`, exitCodes.usage);
  });
  return { codec: dataConverter().payloadCodecs[0], origins };
}

/** Prints a new key, as a line of the file of keys. @returns the exit code. */
export function newKey(name: string | undefined): ExitCode {
  const id = name ?? `key-${new Date().toISOString().slice(0, 10)}`;
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
    throw new CommandError(`${id}: expected letters, digits, dots, dashes, underscores, 64 at most.`, exitCodes.usage);
  }
  print(`${id} ${randomBytes(32).toString('base64')}`);
  return exitCodes.ok;
}
