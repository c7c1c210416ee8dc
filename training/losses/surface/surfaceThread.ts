import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import type { SharedMemory } from './sharedSample.js';
import { SurfaceUnits, surfaceStages } from './surfaceUnits.js';
import { helpTeam } from './team.js';

/** What a helper's thread gets: at its start, and through its port where the memory has been replaced by a larger one. */
export interface SurfaceNews {
  readonly memory: SharedMemory;
  /** Counts the memories. */
  readonly version: number;
}

export interface SurfaceThreadData extends SurfaceNews {
  readonly port: MessagePort;
  /** About the present piece of work: the memory's version, and how many samples are used. */
  readonly current: Int32Array;
}

const { port, current, memory, version } = workerData as SurfaceThreadData;
let known = version;
let units = new SurfaceUnits(memory);

helpTeam(memory.control, surfaceStages, () => {
  while (known !== Atomics.load(current, 0)) {
    // It was sent before the work was given out.
    const news = receiveMessageOnPort(port)?.message as SurfaceNews;
    known = news.version;
    units = new SurfaceUnits(news.memory);
  }
  return units.of(Atomics.load(current, 1));
});
