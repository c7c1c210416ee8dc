import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { addressSchema } from '../../configs/schema/address.js';
import { printable } from '../../text/printable.js';
import { userFault } from '../failures.js';

const entrySchema = z.strictObject({
  /** `https://…/download.php` */
  host: addressSchema,
  username: z.string().optional(),
  password: z.string().optional(),
  /** Paths of files with them, read anew each time. */
  usernameFile: z.string().optional(),
  passwordFile: z.string().optional(),
});

/** A host of data, and what it is asked with. */
export type BoundCredentials = Readonly<z.infer<typeof entrySchema>>;

/**
 * The table that `TEMPEH_HOSTS_FILE` names: YAML, a list of `{ host, usernameFile, passwordFile }` (or `username`,
 * `password`). Read anew each time.
 *
 * @throws CredentialsRefused if it is no such table; the message holds nothing of its values.
 */
export async function hostTable(file: string | undefined): Promise<readonly BoundCredentials[]> {
  if (file === undefined || file === '') return [];
  const wrong = (why: string) =>
    userFault(
      'CredentialsRefused',
      `The table ${printable(file)} that TEMPEH_HOSTS_FILE names cannot be used: ${why}. Expected a list of {host, ` +
        'usernameFile, passwordFile}. Correct it, and resume the run.',
    );
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'), { logLevel: 'silent', maxAliasCount: 0 });
  } catch (error) {
    // A parser's message would quote the line, and with it a password.
    throw wrong((error as NodeJS.ErrnoException).code ?? 'it is not YAML');
  }
  const table = z.array(entrySchema).safeParse(content);
  if (table.success) return table.data;
  const places = table.error.issues.map(({ path, code }) => `${path.join('.') || 'the whole'} (${code})`);
  throw wrong(printable(`wrong are ${places.join(', ')}`));
}

/** Whether two addresses are the same place, to which the same credentials may go. */
export function sameHost(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const [a, b] = [new URL(one), new URL(other)];
  return (
    a.origin === b.origin && a.pathname === b.pathname && a.search === b.search && withoutUser(a) && withoutUser(b)
  );
}

function withoutUser({ username, password }: URL): boolean {
  return username === '' && password === '';
}
