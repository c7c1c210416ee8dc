import { runNamePattern, runNameRule } from '../configs/runNames.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';

/** Refuses what cannot be the name of a run. @param option that names it; none if it stands by itself. @throws CommandError */
export function requireRunName(run: string, option = ''): void {
  if (runNamePattern.test(run)) return;
  throw new CommandError(`${option === '' ? '' : `${option} `}${run}: expected ${runNameRule}.`, exitCodes.usage);
}
