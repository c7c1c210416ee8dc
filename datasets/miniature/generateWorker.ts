import { parentPort, workerData } from 'node:worker_threads';
import type { HeadTemplate } from './headTemplate.js';
import type { PlannedSubject } from './plan.js';
import type { MiniatureSettings } from './settings.js';
import { openStudio } from './subject.js';
import { writeSubject } from './subjectWriter.js';

/** What a worker thread is started with. */
export interface GenerateWorkerData {
  readonly settings: MiniatureSettings;
  readonly template: HeadTemplate;
  readonly directory: string;
}

/** What it reports: ready for a subject, or a frame written. */
export type GenerateWorkerMessage = 'ready' | 'frame';

if (parentPort) {
  const port = parentPort;
  const { settings, template, directory } = workerData as GenerateWorkerData;
  const studio = openStudio(settings, template);
  const report = (message: GenerateWorkerMessage): void => port.postMessage(message);
  port.on('message', (plan: PlannedSubject) => {
    writeSubject(studio, plan, directory, () => report('frame')).then(
      () => report('ready'),
      // Ends the thread with its 'error' event.
      (error: unknown) =>
        setImmediate(() => {
          throw error;
        }),
    );
  });
  report('ready');
}
