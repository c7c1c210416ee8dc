import { runDoctor } from '../../infra/doctor/index.js';
import { exitCodes } from '../exitCodes.js';
import { styled } from '../terminal/terminal.js';

const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const;

/** Checks this machine. @returns 1 if something is missing without which nothing runs. */
export async function doctor({ json }: { readonly json: boolean }): Promise<number> {
  const checks = await runDoctor();
  const missing = checks.filter(({ status }) => status === 'missing');
  if (json) {
    process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  } else {
    for (const { name, status, found, expected, mend } of checks) {
      const [colour, mark] = marks[status];
      process.stdout.write(`${styled(colour, mark)} ${name.padEnd(24)} ${found}\n`);
      if (status !== 'ok') process.stdout.write(`    expected: ${expected}\n    ${styled('bold', mend)}\n`);
    }
    const warnings = checks.filter(({ status }) => status === 'warning').length;
    const verdict = missing.length > 0 ? `${missing.length} missing` : 'Everything that is needed is there';
    process.stdout.write(`\n${verdict}${warnings > 0 ? `; ${warnings} to look at` : ''}.\n`);
  }
  return missing.length > 0 ? exitCodes.failed : exitCodes.ok;
}
