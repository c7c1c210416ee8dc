import { readdirSync, readFileSync } from 'node:fs';
import { descendants } from '../../../cli/quickstart/processTree.js';
import { runSteps } from '../../../configs/temporal.js';
import { keys } from '../../../storage/keys.js';
import type { Cluster } from '../cluster/cluster.js';
import { groupOf } from '../cluster/processes.js';

/** What a process (with those of its group, of a server) holds. */
export interface ProcessUsage {
  readonly name: string;
  /** One of this project's, not a server. */
  readonly ours: boolean;
  /** MB that are in memory. */
  readonly memory: number;
  /** Open files, sockets, pipes. */
  readonly handles: number;
}

/** What is held after a round. */
export interface Usage {
  readonly processes: readonly ProcessUsage[];
  /** In the whole tree below this process. */
  readonly processCount: number;
  /** Objects of the round's run. */
  readonly runObjects: number;
  /** All others but those of runs. */
  readonly otherObjects: number;
  /** Uploads in parts that nobody has completed or given up. */
  readonly unfinishedUploads: number;
  /** Of the round's run, its steps' included. */
  readonly historyEvents: number;
}

/** @param run that has just ended. */
export async function usageOf(cluster: Cluster, run: string): Promise<Usage> {
  const { store } = cluster;
  let [runObjects, otherObjects] = [0, 0];
  for await (const { key } of store.list('')) {
    if (key.startsWith(`${keys.run(run)}/`)) runObjects++;
    else if (!key.startsWith('runs/')) otherObjects++;
  }
  return {
    processes: processesOf(cluster).map(({ name, ours, pids }) => ({
      name,
      ours,
      memory: pids.reduce((sum, pid) => sum + memoryOf(pid), 0),
      handles: pids.reduce((sum, pid) => sum + handlesOf(pid), 0),
    })),
    processCount: descendants(process.pid).length,
    runObjects,
    otherObjects,
    unfinishedUploads: (await store.unfinishedUploads('runs/')).length,
    historyEvents: await eventsOf(cluster, run),
  };
}

interface Processes extends Pick<ProcessUsage, 'name' | 'ours'> {
  readonly pids: readonly number[];
}

function processesOf({ data, gpus, temporal, objectStore }: Cluster): Processes[] {
  const workers = [data, ...gpus.map(({ worker }) => worker)];
  return [
    ...workers.map(({ name, pid }) => ({ name, ours: true, pids: pid === null ? [] : [pid] })),
    { name: 'this process', ours: true, pids: [process.pid] },
    { name: 'Temporal', ours: false, pids: groupOf(temporal.pid) },
    { name: 'S3 server', ours: false, pids: groupOf(objectStore.pid) },
  ];
}

/** Events of a workflow and of its steps', each in its last execution. */
async function eventsOf({ client }: Cluster, run: string): Promise<number> {
  const ids = [run, ...runSteps.map((step) => `${run}/${step}`)];
  const described = await Promise.all(ids.map((id) => client.workflow.getHandle(id).describe()));
  return described.reduce((sum, { historyLength }) => sum + historyLength, 0);
}

/** 0 for a process that has ended. */
function memoryOf(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kilobytes ?? 0) / 1000);
  } catch {
    return 0;
  }
}

function handlesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
