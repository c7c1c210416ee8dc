import { hash } from 'node:crypto';

/** What `list.sha256` of a job is of: the text of its file. */
export function listSha256(text: string): string {
  return hash('sha256', text);
}
