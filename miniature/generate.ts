import { cp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import { formatDataList } from '../datasets/formats/dataList.js';
import { formatNpz } from '../datasets/formats/numpy/npz.js';
import { formatObj } from '../datasets/formats/meshes/obj.js';
import { splitNames, type FrameId } from '../datasets/types.js';
import { ThreadPool } from '../datasets/threads/threadPool.js';
import type { GenerateWorkerData } from './generateWorker.js';
import { generateHeadTemplate, type HeadTemplate } from './head/headTemplate.js';
import { masksFile, splitFolders, templateFile, testSequenceFolders, testSubsetFolders } from './layout.js';
import { planMiniature, plannedFrames, type PlannedSubject } from './plan.js';
import { regionNames } from '../datasets/vertexRegions.js';
import type { MiniatureSettings } from './settings.js';
import { writeFileInFolder } from './subjectWriter.js';
import { withCleanUp } from '../storage/async/cleanUp.js';

export interface GenerateOptions {
  /** Worker threads; as many as there are cores, at most 8, if not said. */
  readonly threads?: number;
  readonly onProgress?: (framesDone: number, framesTotal: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Generates the data set as it lies on a disk once the published one is extracted: a folder in FaMoS layout with
 * images, calibrations, scans, registrations, data lists, template and vertex masks (method 1).
 * The same settings give the same bytes.
 *
 * @param directory is made; files of the same names are overwritten.
 */
export async function generateMiniature(
  settings: MiniatureSettings,
  directory: string,
  options: GenerateOptions = {},
): Promise<void> {
  const template = generateHeadTemplate(settings.vertexCount);
  const plan = planMiniature(settings);
  await writeTemplate(template, directory);
  await writeSubjects(settings, template, plan, directory, options);
  for (const split of splitNames) {
    const list = formatDataList(plannedFrames(plan, split));
    await writeFileInFolder(join(directory, splitFolders[split].list), list);
  }
  await copyTestExtracts(plan, directory);
}

/** `sampling_template.obj` in metres, and vertex indices by region with their number of vertices. */
export async function writeTemplate({ mesh, regions }: HeadTemplate, directory: string): Promise<void> {
  const metres = { vertices: mesh.vertices.map((mm) => mm / 1000), faces: mesh.faces };
  await writeFileInFolder(join(directory, templateFile), formatObj(metres));
  const masks = new Map(
    regionNames.map((name) => {
      const indices = BigInt64Array.from(regions[name], BigInt);
      return [name, { shape: [indices.length], data: indices }] as const;
    }),
  );
  await writeFileInFolder(join(directory, masksFile), formatNpz(masks));
}

/** Deals the subjects out to worker threads; whoever is done gets the next. */
async function writeSubjects(
  settings: MiniatureSettings,
  template: HeadTemplate,
  plan: readonly PlannedSubject[],
  directory: string,
  options: GenerateOptions,
): Promise<void> {
  const total = plan.reduce((sum, { sequences }) => sum + sequences.reduce((n, s) => n + s.frames.length, 0), 0);
  let done = 0;
  const threads = Math.min(options.threads ?? Math.min(8, availableParallelism()), plan.length);
  const workerData: GenerateWorkerData = { settings, template, directory };
  const pool = new ThreadPool<PlannedSubject, void, 'frame'>(
    new URL('./generateWorker.js', import.meta.url),
    workerData,
    threads,
    { onNote: () => options.onProgress?.(++done, total), signal: options.signal },
  );
  await withCleanUp(
    async () => {
      await pMap(plan, (subject) => pool.run(subject), { concurrency: threads });
    },
    () => pool.close(),
  );
}

/** The two smaller published test bundles: each sequence's first frame of the test set, and one sequence whole. */
async function copyTestExtracts(plan: readonly PlannedSubject[], directory: string): Promise<void> {
  const { images, calibrations } = splitFolders.test;
  const copyFrames = async (
    folders: { list: string; images: string; calibrations: string },
    frames: readonly FrameId[],
  ): Promise<void> => {
    for (const { subject, sequence, frame } of frames) {
      const place = `${subject}/${sequence}`;
      await cp(join(directory, images, place, frame), join(directory, folders.images, place, frame), {
        recursive: true,
      });
      await cp(join(directory, calibrations, place), join(directory, folders.calibrations, place), { recursive: true });
    }
    await writeFileInFolder(join(directory, folders.list), formatDataList(frames));
  };
  const test = plannedFrames(plan, 'test');
  const starts = test.filter((id, i) => id.sequence !== test[i - 1]?.sequence || id.subject !== test[i - 1]?.subject);
  await copyFrames(testSubsetFolders, starts);
  const first = test[0];
  await copyFrames(
    testSequenceFolders,
    test.filter((id) => id.subject === first?.subject && id.sequence === first.sequence),
  );
}
