import { explainPage, explainStatus, isPage, retryAfter } from './answers.js';
import type { HttpAnswer } from './httpAnswer.js';
import { Passing } from '../retrying/retries.js';

const longestPage = 1 << 16;

/** What is wrong with an answer that should bring a file, by its head; null if nothing is. */
export async function answerProblem(response: HttpAnswer, host: string, path: string): Promise<Error | null> {
  if (response.status !== 200 && response.status !== 206) {
    response.cancel();
    return (
      explainStatus(response.status, host, path) ??
      new Passing(`the host answers with status ${response.status}`, retryAfter(response.header('retry-after')))
    );
  }
  if (!isPage(response.header('content-type'), new Uint8Array(0))) return null;
  return explainPage(await readPage(response), host, path);
}

async function readPage(response: HttpAnswer): Promise<string> {
  let page = '';
  for await (const chunk of response.body) {
    page += Buffer.from(chunk).toString('utf8');
    if (page.length > longestPage) break;
  }
  return page;
}
