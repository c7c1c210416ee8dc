import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

/** For yargs's `check`: options that end in `port` are port numbers. @throws CommandError */
export function portsAreNumbers(options: Readonly<Record<string, unknown>>): true {
  for (const [name, value] of Object.entries(options)) {
    if (!/(^|-)port$/.test(name) || value === undefined) continue;
    const port = Number(value);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new CommandError(`--${name}: expected a port number, 0 for any.`, exitCodes.usage);
    }
  }
  return true;
}
