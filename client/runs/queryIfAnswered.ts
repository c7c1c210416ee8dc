import type { Client, WorkflowHandle } from '@temporalio/client';

const querySeconds = 5;

/** What a workflow answers to a query; null while no worker answers: the rest of what is known is still worth something. */
export async function queryIfAnswered<Answer>(
  client: Client,
  handle: WorkflowHandle,
  query: string,
  answerSeconds = querySeconds,
): Promise<Answer | null> {
  try {
    return await client.withDeadline(Date.now() + answerSeconds * 1000, () => handle.query<Answer>(query));
  } catch {
    return null;
  }
}
