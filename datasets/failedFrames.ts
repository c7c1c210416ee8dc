import { directoryStore } from '../storage/directory/directoryStore.js';
import type { FrameId } from './types.js';

const file = 'failed-frames.json';

/**
 * Writes beside predictions which frames of a data list have none, and why: `[{ frame: [S, Q, N], reason }]`. What
 * stood there before is gone, the file too where no frame failed.
 */
export async function writeFailedFrames(
  folder: string,
  failures: readonly { readonly id: FrameId; readonly reason: string }[],
): Promise<void> {
  const store = directoryStore(folder);
  if (failures.length === 0) return store.delete([file]);
  const entries = failures.map(({ id: { subject, sequence, frame }, reason }) => ({
    frame: [subject, sequence, frame],
    reason,
  }));
  await store.put(file, Buffer.from(`${JSON.stringify(entries, null, 2)}\n`));
}
