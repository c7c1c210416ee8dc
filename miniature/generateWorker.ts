import { workerData } from 'node:worker_threads';
import { serveThread } from '../datasets/threads/serveThread.js';
import type { HeadTemplate } from './head/headTemplate.js';
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

/** Writes subjects; reports each frame that it has written. */
serveThread<PlannedSubject, void, 'frame'>((say) => {
  const { settings, template, directory } = workerData as GenerateWorkerData;
  const studio = openStudio(settings, template);
  return (plan) => writeSubject(studio, plan, directory, () => say('frame'));
});
