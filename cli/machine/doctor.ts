import { runDoctor } from '../../infra/doctor/index.js';
import { exitCodes } from '../exitCodes.js';
import { styled } from '../terminal/terminal.js';
import { print, printJson } from '../terminal/print.js';

const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const;

/** Checks this machine. @returns 1 if something is missing without which nothing runs. */
export async function doctor({ json }: { readonly json: boolean }): Promise<number> {
  const checks = await runDoctor();
  const missing = checks.filter(({ status }) => status === 'missing');
  if (json) {
    printJson(checks);
  } else {
    for (const { name, status, found, expected, mend } of checks) {
      const [colour, mark] = marks[status];
      print(`${styled(colour, mark)} ${name.padEnd(24)} ${found}`);
      if (status !== 'ok') print(`    expected: ${expected}\n    ${styled('bold', mend)}`);
    }
    const warnings = checks.filter(({ status }) => status === 'warning').length;
    const verdict = missing.length > 0 ? `${missing.length} missing` : 'Everything that is needed is there';
    print(`\n${verdict}${warnings > 0 ? `; ${warnings} to look at` : ''}.`);
  }
  return missing.length > 0 ? exitCodes.failed : exitCodes.ok;
}
