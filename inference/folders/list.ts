import { createHash } from 'node:crypto';

/** What `list.sha256` of a job is of: the text of its file. */
export function listSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
