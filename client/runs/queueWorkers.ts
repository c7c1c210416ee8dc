import type { Client } from '@temporalio/client';
import { queuesBeside, workflowTypes } from '../../configs/temporal.js';
import { WorkflowNotFoundError } from '../temporal.js';
import { askingFor, type Asking, type TaskType } from '../pollers.js';
import { orUnreadable, withoutPayloads } from '../payloads/withoutPayloads.js';
import { pendingActivities, type PendingActivity } from './pendingActivities.js';

/** Who could take a task that waits for a worker. */
export interface QueueWorkers extends Asking {
  readonly queue: string;
  /** Workers that are at work, and ask for no more while they have no device free: at which workflow. */
  readonly busy: readonly { readonly worker: string; readonly at: string }[];
}

/** A poll is renewed every minute: whoever asked within this is there. */
const askedWithin = 75_000;
/** Of the workflows under way so many are looked at, the newest: where there are more, somebody is at work. */
const mostLookedAt = 20;
/** Milliseconds within which a worker takes a task. */
const atOnce = 3_000;
/** Milliseconds that an answer is good for: whoever follows a run asks every second. */
const goodFor = 5_000;

type Answers = Map<string, { readonly at: number; readonly answer: Promise<QueueWorkers> }>;
const answers = new WeakMap<Client['workflowService'], Answers>();

/** Who asks a queue for tasks, and who does them. */
export function queueWorkers(client: Client, queue: string, type: TaskType): Promise<QueueWorkers> {
  const known: Answers = answers.get(client.workflowService) ?? new Map();
  answers.set(client.workflowService, known);
  const key = `${client.options.namespace} ${type} ${queue}`;
  const last = known.get(key);
  if (last !== undefined && performance.now() - last.at < goodFor) return last.answer;
  const answer = look(client, queue, type);
  known.set(key, { at: performance.now(), answer });
  answer.catch(() => known.delete(key));
  return answer;
}

/** The queues whose workers these activities have waited for: a worker that is there takes a task at once. */
export function queuesOf(activities: readonly PendingActivity[]): string[] {
  const waiting = activities.filter(
    ({ waitsSince }) => waitsSince !== null && Date.now() - waitsSince.getTime() > atOnce,
  );
  return [...new Set(waiting.flatMap(({ queue }) => (queue === null ? [] : [queue])))];
}

async function look(client: Client, queue: string, type: TaskType): Promise<QueueWorkers> {
  const asking = await askingFor(client, queue, askedWithin, type);
  // What a workflow is at says nothing about workflow tasks: they take milliseconds.
  const busy = type === 'workflow' ? [] : await busyWith(client, queue);
  return { queue, ...asking, busy };
}

async function busyWith(client: Client, queue: string): Promise<QueueWorkers['busy']> {
  const blind = withoutPayloads(client);
  const types = Object.values(workflowTypes)
    .filter((type) => type !== 'fullTraining' && type !== 'series')
    .map((type) => `'${type}'`);
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${dataQueueOf(queue)}' AND WorkflowType IN (${types.join(', ')})`;
  const ids: string[] = [];
  for await (const { workflowId } of blind.workflow.list({ query, pageSize: mostLookedAt })) {
    ids.push(workflowId);
    if (ids.length >= mostLookedAt) break;
  }
  const found = await Promise.all(ids.map((id) => runningAt(client, blind, id, queue)));
  return found.flat();
}

async function runningAt(client: Client, blind: Client, id: string, queue: string): Promise<QueueWorkers['busy']> {
  try {
    const description = await blind.workflow.getHandle(id).describe();
    const activities = await pendingActivities(client, description).catch(orUnreadable);
    return (activities ?? []).flatMap(({ state, queue: own, worker }) =>
      sharesWorkers(own, queue) && state !== 'waiting' && worker !== null ? [{ worker, at: id }] : [],
    );
  } catch (error) {
    // It has ended in between.
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

/** A GPU worker trains or predicts on a device, whichever queue the task came from. */
function sharesWorkers(one: string | null, other: string): boolean {
  const trains = (queue: string): string => queue.replace(/tempeh-predict$/, 'tempeh-gpu');
  return one !== null && trains(one) === trains(other);
}

/** The queue of the workflows whose activities have this one. */
function dataQueueOf(queue: string): string {
  const named = /^(.*)tempeh-(?:data|evaluate|gpu|predict)(?:\/.*)?$/s.exec(queue)?.[1];
  return named === undefined ? queue : `${named}${queuesBeside('').data}`;
}
