import type { StoreConfiguration } from '../../storage/types.js';
import type { CheckpointRun, CheckpointsHandedOver } from '../checkpointStore.js';
import type { EventPicture } from '../events/eventRecords.js';
import type { EventMesh } from '../events/pluginRecords.js';
import type { EncodedState } from '../reading/trainingState.js';
import type { CheckpointReference } from '../reference.js';
import type { SentError } from './faults.js';

/** What the thread that saves is started with. Credentials come from its environment. */
export interface KeeperStart {
  readonly job: CheckpointRun;
  readonly checkpoints: CheckpointsHandedOver;
  /** The step that training goes on from. */
  readonly from: number;
  readonly last: CheckpointReference | null;
  readonly graceSeconds: number;
}

/** With it, what only a thread of its own needs. */
export interface KeeperThreadStart extends KeeperStart {
  readonly storage: StoreConfiguration;
  /** What stores have accepted from this process before. */
  readonly accepted: readonly string[];
}

/** In the order in which they are sent. Times are seconds since 1970. */
export type ToKeeper =
  | {
      readonly kind: 'scalar';
      readonly wallTime: number;
      readonly step: number;
      readonly tag: string;
      readonly value: number;
    }
  | {
      readonly kind: 'picture';
      readonly wallTime: number;
      readonly step: number;
      readonly tag: string;
      readonly picture: EventPicture;
    }
  | {
      readonly kind: 'mesh';
      readonly wallTime: number;
      readonly step: number;
      readonly tag: string;
      readonly mesh: EventMesh;
    }
  /** Shows the open events to those who watch, if it is time. */
  | { readonly kind: 'show' }
  | { readonly kind: 'save'; readonly state: EncodedState; readonly finished: boolean }
  /** Answered by `settled` when nothing is under way any more. */
  | { readonly kind: 'settle'; readonly id: number }
  /** The grace begins. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'end' };

export type KeeperEvent =
  | { readonly kind: 'saved'; readonly checkpoint: CheckpointReference; readonly seconds: number }
  | { readonly kind: 'failed'; readonly error: SentError }
  | { readonly kind: 'settled'; readonly id: number }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'waiting'; readonly message: string }
  /** An upload is over: what was reported about waiting is over. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'ended' };

export interface FromKeeper {
  readonly event: KeeperEvent;
  /** So far. */
  readonly bytesWritten: number;
}
