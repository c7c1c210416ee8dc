import { availableParallelism } from 'node:os';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { buildTriangleTree, type TriangleTree } from '../../../geometry/closestPoint/triangleTree.js';
import { sampleState, sharedCopy, sharedSample, type SharedMemory, type SharedSample } from './sharedSample.js';
import type { SurfaceNews, SurfaceThreadData } from './surfaceThread.js';
import { beginSample, SurfaceUnits, surfaceStages, surfaceUnits } from './surfaceUnits.js';
import { endTeam, leadTeam, teamControl, workAlone } from './team.js';

/** More would mostly wait for one another. */
const mostThreads = 8;
/** With fewer points (of all samples) than this, waking others costs more than it saves. */
const worthSharing = 2000;

interface Helper {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/**
 * Closest points and the point-to-surface loss of a batch, in this thread and some more. Results do not depend on their
 * number. The threads sleep between two steps; they start with the first batch that is worth it.
 */
export class SurfaceSearch {
  private readonly tree: TriangleTree;
  private readonly vertexCount: number;
  private readonly current = new Int32Array(new SharedArrayBuffer(8));
  private memory: SharedMemory;
  private units: SurfaceUnits;
  private helpers: readonly Helper[] | null = null;

  /**
   * @param template the topology, with vertices of a typical head, mm.
   * @param sigma σ of the Geman–McClure function, mm.
   * @param threads this one and its helpers.
   */
  constructor(
    template: Mesh,
    sigma: number,
    private readonly threads = Math.min(ownCores(), mostThreads),
  ) {
    this.tree = buildTriangleTree(template);
    this.vertexCount = template.vertices.length / 3;
    this.memory = { control: teamControl(surfaceStages), faces: sharedCopy(template.faces), sigma, samples: [] };
    this.units = new SurfaceUnits(this.memory);
  }

  /**
   * @param prediction `[B, L, 3]`, mm; finite.
   * @param scanPoints `[B]` of `[n, 3]`, mm.
   * @param wantsLoss false: only distances are measured.
   * @returns `[B]`: what was found, until the next call.
   * @throws RangeError when a scan point is not finite.
   */
  run(prediction: Float32Array, scanPoints: readonly Float32Array[], wantsLoss: boolean): readonly SharedSample[] {
    checkFinite(scanPoints);
    const used = scanPoints.length;
    const most = Math.max(...scanPoints.map((points) => points.length / 3));
    this.provide(used, most);
    const samples = this.memory.samples.slice(0, used);
    let total = 0;
    for (const [index, sample] of samples.entries()) {
      const points = scanPoints[index]!;
      total += points.length / 3;
      sample.vertices.set(prediction.subarray(3 * this.vertexCount * index, 3 * this.vertexCount * (index + 1)));
      sample.points.set(points);
      sample.state[sampleState.points] = points.length / 3;
      sample.state[sampleState.wantsLoss] = wantsLoss ? 1 : 0;
      beginSample(sample, most);
    }
    Atomics.store(this.current, 1, used);
    if (total >= worthSharing) this.helpers ??= this.startHelpers();
    const [units, work] = [surfaceUnits(this.memory, used, most), this.units.of(used)];
    if (!leadTeam(this.memory.control, units, work)) {
      for (const sample of samples) beginSample(sample, most);
      workAlone(units, work);
    }
    return samples;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    endTeam(this.memory.control);
    await Promise.all((this.helpers ?? []).map(({ worker }) => worker.terminate()));
    this.helpers = [];
  }

  /** Makes room for so many samples of so many points. */
  private provide(samples: number, points: number): void {
    const there = this.memory.samples;
    const room = there[0]?.order.length ?? 0;
    if (there.length >= samples && room >= points) return;
    const count = Math.max(samples, there.length);
    const capacity = Math.max(points, room);
    const made = Array.from({ length: count }, () => sharedSample(this.tree, this.vertexCount, capacity));
    this.memory = { ...this.memory, samples: made };
    this.units = new SurfaceUnits(this.memory);
    const version = Atomics.add(this.current, 0, 1) + 1;
    for (const { port } of this.helpers ?? []) port.postMessage({ memory: this.memory, version } satisfies SurfaceNews);
  }

  private startHelpers(): readonly Helper[] {
    const { memory, current } = this;
    return Array.from({ length: this.threads - 1 }, () => {
      const { port1: port, port2 } = new MessageChannel();
      const version = Atomics.load(current, 0);
      const worker = new Worker(new URL('./surfaceThread.js', import.meta.url), {
        workerData: { memory, version, current, port: port2 } satisfies SurfaceThreadData,
        transferList: [port2],
      });
      // They sleep, and end with the process.
      worker.unref();
      port.unref();
      return { worker, port };
    });
  }
}

function checkFinite(scanPoints: readonly Float32Array[]): void {
  for (const points of scanPoints) {
    let check = 0;
    for (let i = 0; i < points.length; i++) check += 0 * points[i]!;
    if (check === 0) continue;
    const broken = 3 * Math.floor(points.findIndex((value) => !Number.isFinite(value)) / 3);
    const point = points.subarray(broken, broken + 3).join(', ');
    throw new RangeError(`closest triangle of (${point}): the point is not finite`);
  }
}

/** The machine's cores, shared with the other trainers of its worker (configs/slots.ts). */
function ownCores(): number {
  return Math.max(1, Math.floor(availableParallelism() / Number(process.env['TEMPEH_SLOTS'] || 1)));
}
