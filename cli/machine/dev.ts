import { makeFolderSync } from '../../disk/makeFolder.js';
import {
  startObjectStore,
  startTemporal,
  type ObjectStoreService,
  type TemporalService,
} from '../../infra/services/index.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { lastPorts } from '../quickstart/session.js';
import { announceServices } from './services.js';
import { listenForStop } from '../../workers/lifecycle/stopRequest.js';
import { columns, styled } from '../terminal/terminal.js';
import { readJson, workspace } from './workspace.js';
import { print } from '../terminal/print.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';
import { aborted } from '../../storage/async/aborted.js';

export interface DevOptions {
  readonly directory: string | undefined;
  /** Those of the last time by default. */
  readonly temporalPort: number | undefined;
  readonly uiPort: number | undefined;
  readonly s3Port: number | undefined;
  readonly bucket: string;
}

/** Runs the embedded services in the foreground, until a signal or until one of them ends. @returns the exit code. */
export async function dev(options: DevOptions): Promise<number> {
  const space = workspace(options.directory);
  makeFolderSync(space.directory);
  const last = lastPorts(space);
  const stopped = listenForStop();
  const started: (TemporalService | ObjectStoreService)[] = [];
  return withCleanUp(
    async () => {
      const temporal = await startTemporal({
        directory: space.temporal,
        port: options.temporalPort ?? last.temporal,
        uiPort: options.uiPort ?? last.ui,
      });
      started.push(temporal);
      const objectStore = await startObjectStore({
        directory: space.objectStore,
        port: options.s3Port ?? last.s3,
        bucket: options.bucket,
      });
      started.push(objectStore);
      if (temporal.reused || objectStore.reused) {
        throw new CommandError(
          `The services of ${space.directory} run already: Temporal UI ${temporal.uiUrl}, S3 ${objectStore.endpoint}.`,
        );
      }
      announceServices(space, 'dev', temporal, objectStore);
      printServices(temporal, objectStore, space.lastRun);
      await Promise.race([aborted(stopped.signal), ...started.map((service) => service.ended)]);
      if (!stopped.signal.aborted)
        throw new CommandError('A service has ended: its log says why (see above).', exitCodes.unreachable);
      return exitCodes.ok;
    },
    () => Promise.all(started.map((service) => service.stop())),
    () => stopped.release(),
  );
}

function printServices(temporal: TemporalService, objectStore: ObjectStoreService, lastRunFile: string): void {
  const lastRun = readJson<{ run: string }>(lastRunFile);
  const rows = [
    ['Temporal UI', temporal.uiUrl],
    ['Temporal', `${temporal.address}  (namespace ${temporal.namespace}; log ${temporal.logFile})`],
    ['S3', `${objectStore.endpoint}  (bucket ${objectStore.bucket}; log ${objectStore.logFile})`],
    ['S3 credentials', objectStore.credentialsFile],
  ];
  if (lastRun !== null) rows.push(['Last run', `${lastRun.run}  (tempeh-flow status ${lastRun.run})`]);
  print(
    `${columns(rows)}\n\nOther tempeh-flow commands find these by themselves. ${styled('bold', 'Ctrl-C stops them.')}`,
  );
}
