import type { FrameId } from '../../datasets/types.js';

/** `[method, sum, count]` */
export type JitterState = [string, number, number][];

/**
 * How much meshes tremble: the mean acceleration of vertices, |x(n+1) − 2 x(n) + x(n−1)| in mm a frame², over frames that
 * follow one another by number. Frames are added sequence by sequence, in their order.
 */
export class Jitter {
  private before: { readonly id: FrameId; readonly heads: ReadonlyMap<string, Float32Array> }[] = [];
  private readonly sums = new Map<string, { sum: number; count: number }>();

  /** @param heads vertices `[L, 3]` by method, mm. */
  add(id: FrameId, heads: ReadonlyMap<string, Float32Array>): void {
    const last = this.before.at(-1);
    if (last !== undefined && !follows(last.id, id)) this.before = [];
    this.before.push({ id, heads });
    if (this.before.length < 3) return;
    const [first, second] = this.before;
    for (const [method, head] of heads) {
      const [a, b] = [first?.heads.get(method), second?.heads.get(method)];
      if (a === undefined || b === undefined) continue;
      const entry = this.sums.get(method) ?? { sum: 0, count: 0 };
      this.sums.set(method, entry);
      for (let i = 0; i < head.length; i += 3) {
        const along = (axis: number): number => a[i + axis]! - 2 * b[i + axis]! + head[i + axis]!;
        entry.sum += Math.hypot(along(0), along(1), along(2));
        entry.count++;
      }
    }
    this.before.shift();
  }

  /** What was summed, to be merged elsewhere: `[method, sum, count]`. */
  state(): JitterState {
    return [...this.sums].map(([method, { sum, count }]) => [method, sum, count]);
  }

  /** Adds what others have summed. */
  merge(state: JitterState): void {
    for (const [method, sum, count] of state) {
      const entry = this.sums.get(method) ?? { sum: 0, count: 0 };
      this.sums.set(method, { sum: entry.sum + sum, count: entry.count + count });
    }
  }

  /** mm a frame²; null where no three frames follow one another. */
  of(method: string): number | null {
    const entry = this.sums.get(method);
    return entry === undefined ? null : entry.sum / entry.count;
  }
}

function follows(a: FrameId, b: FrameId): boolean {
  const sameSequence = a.subject === b.subject && a.sequence === b.sequence;
  return sameSequence && /^\d+$/.test(a.frame) && /^\d+$/.test(b.frame) && Number(b.frame) === Number(a.frame) + 1;
}
