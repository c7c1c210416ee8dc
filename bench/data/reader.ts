/**
 * Measures in this process how fast training batches of the miniature come, with nothing beside: argument `{"threads": n}`;
 * prints its figures as one JSON line.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../../configs/load.js';
import { openBatches } from '../../datasets/batches/openBatches.js';
import type { CoarsePredictions, LoaderSource } from '../../datasets/batches/settings.js';
import { generateMiniature } from '../../miniature/generate.js';
import { miniatureSettings } from '../../miniature/settings.js';
import { packDataset } from '../../datasets/pack/packDataset.js';
import { openStore } from '../../storage/openStore.js';
import type { ReaderFigures, ReaderResult, ReaderState } from './figures.js';
import { startBenchStore } from './startBenchStore.js';

const { threads } = JSON.parse(process.argv[2] ?? '{}') as { threads: number };
const settings = miniatureSettings('miniature');
/** By then nearly every thread has kept nearly every frame. */
const laterEpoch = 6;

const root = await mkdtemp(join(process.env['TEMPEH_BENCH_DIRECTORY'] ?? tmpdir(), 'reader-'));
const s3 = await startBenchStore(join(root, 's3'));
try {
  const data = join(root, 'data');
  await generateMiniature(settings, data);
  const configuration = await loadConfiguration('miniature');
  const { dataset, viewKind, seed } = configuration;
  await packDataset({ store: openStore(s3.storage), configuration: dataset, directory: data });
  // Refinement starts from what lies where coarse predictions do; what it is does not matter here.
  const predictions = join(root, 'predictions');
  await cp(join(data, dataset.layout.train.registrations), predictions, { recursive: true });

  const folder: LoaderSource = { kind: 'directory', path: data, dataset };
  const stored = (cache: string): LoaderSource => ({
    kind: 'store',
    storage: s3.storage,
    dataset: dataset.name,
    cacheDirectory: join(root, cache),
    cacheBytes: 1e9,
  });
  const readers: ReaderFigures[] = [];
  for (const stage of ['coarse-finetuning', 'refinement'] as const) {
    const training = { seed, stage: configuration.training[stage] };
    const { batchSize } = training.stage;
    const coarse: CoarsePredictions | null = stage === 'refinement' ? { kind: 'directory', path: predictions } : null;
    const measure = async (state: ReaderState, source: LoaderSource): Promise<void> => {
      const loader = { source, viewKind, coarsePredictions: coarse, threads };
      const batches = await openBatches(loader, 2 * threads, {
        warn: (message) => process.stderr.write(`${message}\n`),
      });
      try {
        // What threads load when they start is no part of an epoch.
        const plain = { split: 'validation', batchSize: 1, resizeFactor: 8, scanPoints: 1, limit: null } as const;
        for await (const _ of batches.validation(plain));
        const steps = Math.floor(batches.count('train') / batchSize);
        const last = laterEpoch * steps;
        const epoch = async (
          index: number,
        ): Promise<Pick<ReaderFigures, 'secondsPerBatch' | 'processorSecondsPerSample'>> => {
          const [began, processor] = [performance.now(), process.cpuUsage()];
          for (let step = index * steps; step < (index + 1) * steps; step++) {
            // Those of the next epoch are not begun.
            await batches.training(step, training, state === 'kept' ? last : (index + 1) * steps - 1);
          }
          const { user, system } = process.cpuUsage(processor);
          return {
            secondsPerBatch: (performance.now() - began) / 1000 / steps,
            processorSecondsPerSample: (user + system) / 1e6 / (steps * batchSize),
          };
        };
        let figures = await epoch(0);
        if (state === 'kept') for (let index = 1; index < laterEpoch; index++) figures = await epoch(index);
        readers.push({ stage, state, threads, batchSize, batches: steps, ...figures });
      } finally {
        await batches.close();
      }
    };
    await measure('folder', folder);
    await measure('store-cold', stored(`cache-${stage}`));
    await measure('store-warm', stored(`cache-${stage}`));
    await measure('kept', folder);
  }
  const views = 2 * settings.pods;
  process.stdout.write(`${JSON.stringify({ views, readers } satisfies ReaderResult)}\n`);
} finally {
  await s3.stop();
  await rm(root, { recursive: true, force: true });
}
