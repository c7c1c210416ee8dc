import type { Context } from '@temporalio/activity';
import type { StoreListener } from '../storage/types.js';
import type { ActivityHeartbeat, TransferProgress } from './types.js';
import { Waiting } from './waiting.js';

/** The heartbeats of an activity that moves files to or from an object store. */
export interface StoreHeartbeat {
  readonly progress: (progress: TransferProgress) => void;
  /** For the store: while it is waited for, or for credentials to be renewed, the activity is alive and says so. */
  readonly listener: (signal: AbortSignal) => StoreListener;
}

export function storeHeartbeat(context: Context): StoreHeartbeat {
  let last: TransferProgress = { doneBytes: 0, totalBytes: null, doneFiles: 0, totalFiles: null, current: '' };
  const waiting = new Waiting((message) => void context.log.warn(message));
  const beat = (): void => {
    context.heartbeat({ kind: 'transfer', progress: last, waitsFor: waiting.message } satisfies ActivityHeartbeat);
  };
  return {
    progress(progress) {
      last = progress;
      waiting.over();
      beat();
    },
    listener: (signal) => ({
      signal,
      warn(message) {
        waiting.on(message);
        beat();
      },
    }),
  };
}
