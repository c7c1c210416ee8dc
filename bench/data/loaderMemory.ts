/**
 * Measures in this process what loader threads take: argument `LoaderMemoryCase`; prints its figure as one JSON line. With
 * no stage it makes the data set for the others.
 */
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfiguration } from '../../configs/load.js';
import { openBatches } from '../../datasets/batches/openBatches.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { generateMiniature } from '../../miniature/generate.js';
import { miniatureSettings } from '../../miniature/settings.js';
import { openStore } from '../../storage/openStore.js';
import { keys } from '../../storage/keys.js';
import { residentBytes, residentPeakBytes, resetResidentPeak } from '../processMemory.js';
import type { LoaderMemoryCase, LoaderMemoryFigures } from './figures.js';

const { root, stage, threads } = JSON.parse(process.argv[2] ?? '{}') as LoaderMemoryCase;
/** As often the people are there: more decoded frames than a thread keeps. */
const copies = 16;
const batchesRead = 60;
const configuration = await loadConfiguration('famos');
const storage = { kind: 'directory', path: join(root, 'store') } as const;
const data = join(root, 'data');
// As the generator lays it.
const { dataset } = await loadConfiguration('miniature');
const { layout } = dataset;
const prefix = keys.predictions('bench');

if (stage === undefined) {
  await generateMiniature(miniatureSettings('paperSize'), data);
  const { list, images, calibrations, scans, registrations } = layout.train;
  const file = join(data, list);
  const frames = JSON.parse(await readFile(file, 'utf8')) as [string, string, string][];
  const subjects = [...new Set(frames.map(([subject]) => subject))];
  const all = [...frames];
  for (let copy = 1; copy < copies; copy++) {
    for (const folder of [images, calibrations, scans, registrations]) {
      for (const subject of subjects) await symlink(subject, join(data, folder, `${subject}_${copy}`));
    }
    all.push(...frames.map(([subject, ...rest]): [string, string, string] => [`${subject}_${copy}`, ...rest]));
  }
  await writeFile(file, JSON.stringify(all));
  const store = openStore(storage);
  await packDataset({ store, configuration: dataset, directory: data });
  for (const [subject, sequence, frame] of all) {
    const path = `${subject}/${sequence}/${sequence}.${frame}.ply`;
    await store.put(`${prefix}/${path}`, await readFile(join(data, registrations, path)));
  }
  process.stdout.write('{}\n');
} else {
  const settings = configuration.training[stage];
  const before = residentBytes();
  const batches = await openBatches(
    {
      source: {
        kind: 'store',
        storage,
        dataset: dataset.name,
        cacheDirectory: join(root, 'cache'),
        cacheBytes: 1e10,
      },
      viewKind: configuration.viewKind,
      coarsePredictions: stage === 'refinement' ? { kind: 'store', storage, prefix } : null,
      threads,
      surfaceResolution: configuration.model.refinement.visibilityResolution,
    },
    configuration.loader.prefetch,
    { warn: (message) => process.stderr.write(`${message}\n`) },
  );
  resetResidentPeak();
  const training = {
    seed: 0,
    stage: settings,
    gridRotations: stage === 'refinement' ? ('refinement' as const) : ('coarse' as const),
  };
  let batchBytes = 0;
  for (let step = 0; step < batchesRead; step++) {
    const batch = await batches.training(step, training, batchesRead - 1);
    batchBytes = Math.max(batchBytes, batch.images.byteLength);
  }
  const figures: LoaderMemoryFigures = {
    stage,
    threads,
    prefetch: configuration.loader.prefetch,
    batchBytes,
    bytes: residentPeakBytes() - before,
  };
  await batches.close();
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
