import type { MessagePort } from 'node:worker_threads';
import { countingStore } from '../../storage/wrappers/countingStore.js';
import type { ObjectStore, StoreListener } from '../../storage/types.js';
import { Checkpointing } from '../checkpointing.js';
import { CheckpointStore } from '../checkpointStore.js';
import { EventLog } from '../events/eventLog.js';
import { checkpointStageOf } from '../manifest/manifestSchema.js';
import { sendError } from './faults.js';
import type { FromKeeper, KeeperStart, KeeperEvent, ToKeeper } from './messages.js';

/** The other end of a `CheckpointKeeper`: writes checkpoints and events, as they come. */
export function serveKeeper(
  port: MessagePort,
  { job, checkpoints: handedOver, from, last, graceSeconds }: KeeperStart,
  openStore: (listener: StoreListener) => ObjectStore,
): void {
  const { run, stage, attempt, configuration } = job;
  const stopping = new AbortController();
  const onWaiting = (message: string): void => say({ kind: 'waiting', message });
  const { store, count } = countingStore(openStore({ warn: onWaiting, signal: stopping.signal }));
  const say = (event: KeeperEvent): void =>
    port.postMessage({ event, bytesWritten: count.bytesWritten } satisfies FromKeeper);
  const events = new EventLog({ store, run, stage: checkpointStageOf(stage), attempt }, from);
  const checkpointing = new Checkpointing({
    checkpoints: CheckpointStore.takeOver(store, job, handedOver),
    events,
    configuration,
    last,
    onSaved: (checkpoint, seconds) => say({ kind: 'saved', checkpoint, seconds }),
    onFailed: (error) => say({ kind: 'failed', error: sendError(error) }),
    onAnswered: () => say({ kind: 'answered' }),
    warn: (message) => say({ kind: 'warning', message }),
    onWaiting,
    stopping: stopping.signal,
    graceSeconds,
  });
  port.on('message', (message: ToKeeper) => {
    switch (message.kind) {
      case 'scalar':
        return events.scalar(message.step, message.tag, message.value, message.wallTime);
      case 'picture':
        return events.picture(message.step, message.tag, message.picture, message.wallTime);
      case 'mesh':
        return events.mesh(message.step, message.tag, message.mesh, message.wallTime);
      case 'show':
        return checkpointing.showEvents();
      case 'save':
        return checkpointing.save(message.state, message.finished);
      case 'settle':
        return void checkpointing.idle().then(() => say({ kind: 'settled', id: message.id }));
      case 'stop':
        return stopping.abort();
      case 'end':
        return void checkpointing.end().then(() => {
          say({ kind: 'ended' });
          port.close();
        });
    }
  });
}
