import type { RunDescription } from '../../../client/runs/describeRun.js';
import type { QueueWorkers } from '../../../client/runs/queueWorkers.js';
import { printable } from '../../../text/printable.js';
import { styled } from '../../terminal/terminal.js';

/** Workers that are named in a line. */
const mostNamed = 2;

/** Why what waits for a worker has none yet, a line a task queue: nobody asks for its tasks, or who does is busy. */
export function queueLines({ run, queues, progress, recorded }: RunDescription): string[] {
  const { warnings = [] } = progress ?? recorded ?? {};
  const seen = new Set<string>();
  return queues.flatMap((workers) => {
    if (seen.has(workers.queue)) return [];
    seen.add(workers.queue);
    const why = whyNone(run, workers, warnings.length > 0);
    if (why === null) return [];
    const mark = why.isTrouble ? styled('yellow', '!') : styled('dim', '·');
    return [`  ${mark} ${printable(why.text, 400)}`];
  });
}

/**
 * null where somebody who is free asks for its tasks, or all are at work for this run, as its own lines say.
 *
 * @param areOut workers were reported that take none.
 */
function whyNone(run: string, workers: QueueWorkers, areOut: boolean): { text: string; isTrouble: boolean } | null {
  const { queue, asking, ofOtherBuilds, build, busy } = workers;
  const atWork = new Set(busy.map(({ worker }) => worker));
  if (asking.some((worker) => !atWork.has(worker))) return null;
  if (atWork.size > 0) {
    if (busy.every(({ at }) => at === run || at.startsWith(`${run}/`))) return null;
    const named = busy.slice(0, mostNamed).map(({ worker, at }) => `${shortName(worker)} at ${at}`);
    const more = busy.length > named.length ? ', …' : '';
    const text = `every worker of ${queue} is busy: ${named.join(', ')}${more}`;
    return { text, isTrouble: false };
  }
  if (ofOtherBuilds.length > 0) {
    const wanted = build === null ? 'workers without a deployment' : `build ${build}`;
    const text = `tasks of ${queue} are for ${wanted}, and who asks for them is of another (${ofOtherBuilds.map(shortName).slice(0, mostNamed).join(', ')}): tempeh-flow deployment promote`;
    return { text, isTrouble: true };
  }
  return {
    text: `no worker asks for tasks of ${queue}${areOut ? ' (why one takes none stands below)' : ''}; ${toStart(queue)}`,
    isTrouble: true,
  };
}

/** What to type: a worker's queues begin with its own prefix, and one without it would ask in vain. */
function toStart(queue: string): string {
  const [, prefix = '', kind = '', disk] = /^(.*)tempeh-(data|evaluate|gpu|predict)(\/.*)?$/.exec(queue) ?? [];
  if (disk !== undefined) {
    return 'it is the data worker whose disk has the data: start it again on its folder, or another begins anew';
  }
  const worker = kind === 'data' || kind === 'evaluate' ? 'data' : 'gpu';
  return `to start one: ${prefix === '' ? '' : `TEMPEH_QUEUE_PREFIX=${prefix} `}tempeh-flow worker ${worker}`;
}

/** `gpu@host:12 NVIDIA H200 GPU-…` is `host:12`, as attempts have it. */
function shortName(identity: string): string {
  return /@(\S+:\d+)/.exec(identity)?.[1] ?? identity;
}
