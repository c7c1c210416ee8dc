import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import { loadStore } from '../../storage/loadStore.js';
import { patientStore, type PatientStoreOptions } from '../../storage/wrappers/patientStore.js';
import { ObjectNotFound } from '../../storage/types.js';
import { frameName, framePath } from '../layout.js';
import { decodeFrame } from '../reader/decodeFrame.js';
import { openDirectorySource } from '../reader/datasetDirectory.js';
import { noCounts, type CacheCounts } from '../cache/counts.js';
import { DiskCache } from '../cache/diskCache.js';
import { ListedVersions } from '../cache/listedVersions.js';
import { FrameUnreadable } from '../reader/errors.js';
import type { EncodedFile, FrameSource } from '../reader/frameSource.js';
import { openFolderSource } from '../reader/frameFolders.js';
import { openStoreSource } from '../reader/storeSource.js';
import type { Batch, FrameId, Sample, Split } from '../types.js';
import { atMost, type ViewChoice } from '../views.js';
import { assembleBatch, plainView } from './assemble.js';
import { DecodedFrames } from './decodedFrames.js';
import { FrameOrder } from './frameOrder.js';
import type { CoarsePredictions, LoaderSettings, LoaderTask, TrainingBatchSettings } from './settings.js';
import { gridRotations } from '../../geometry/gridRotations.js';
import { prepareSurface } from './prepareSurface.js';
import { trainingBatch } from './trainingBatch.js';

/**
 * @param patience where the store is away, reading waits in its place, and says so.
 * @throws DatasetMissing, FormatError of the template or its masks
 */
export async function openSource(
  { source, ...choice }: Pick<LoaderSettings, 'source'> & ViewChoice,
  patience: PatientStoreOptions,
): Promise<OpenSource> {
  if (source.kind === 'store') {
    const cache = new DiskCache(source.cacheDirectory, source.cacheBytes);
    const store = patientStore(await loadStore(source.storage, patience), patience);
    const opened = await openStoreSource(store, source.dataset, choice, cache, source.place ?? null);
    return { source: opened, cache, counts: () => cache.counts };
  }
  const opened =
    source.kind === 'directory'
      ? await openDirectorySource(source.path, source.dataset, choice)
      : openFolderSource(source.folders, source.template, choice);
  return { source: opened, cache: null, counts: () => noCounts };
}

interface OpenSource {
  readonly source: FrameSource;
  /** Cache of frames that come from a store. */
  readonly cache: DiskCache | null;
  /** What it did so far. */
  readonly counts: () => CacheCounts;
}

/** What a configuration of an earlier version stands for. */
const decodedBytes = 256 * 2 ** 20;

/** Makes batches, one after the other or several at once: what a loader thread does. */
export class Loader {
  private readonly decoded: DecodedFrames;
  private readonly orders = new Map<number, FrameOrder>();

  private constructor(
    private readonly source: FrameSource,
    private readonly readPrediction: (id: FrameId) => Promise<EncodedFile | null>,
    private readonly settings: Pick<LoaderSettings, 'viewsAtMost' | 'surfaceResolution' | 'decodedBytes'>,
    private readonly counts: () => CacheCounts,
  ) {
    this.decoded = new DecodedFrames(settings.decodedBytes ?? decodedBytes);
  }

  /** As `openSource`. */
  static async open(settings: LoaderSettings, patience: PatientStoreOptions): Promise<Loader> {
    const { source, cache, counts } = await openSource(settings, patience);
    const readPrediction = await predictionReader(settings.coarsePredictions, cache, patience);
    return new Loader(source, readPrediction, settings, counts);
  }

  get cacheCounts(): CacheCounts {
    return this.counts();
  }

  /** @throws FrameUnreadable */
  async run(task: LoaderTask): Promise<Batch> {
    if (task.kind === 'training') {
      const { step, settings } = task;
      const { batchSize, imageResizeFactor } = settings.stage;
      const places = this.order(settings.seed, this.source.count('train')).batch(step, batchSize);
      const samples = await Promise.all(
        places.map(async (place) => {
          const [id] = await this.source.range('train', place, place + 1);
          return this.sample('train', id!, imageResizeFactor, {});
        }),
      );
      const batch = this.withSurface(trainingBatch(step, samples, settings, this.settings, task.memory));
      return this.withRotations(batch, settings);
    }
    const { step, split, frames, resizeFactor, scanPoints } = task;
    const samples = await Promise.all(frames.map((id) => this.sample(split, id, resizeFactor, this.settings)));
    const points = samples.map((sample) =>
      sample.scanPoints.slice(0, scanPoints === null ? undefined : 3 * scanPoints),
    );
    const plain = samples.map((sample) => ({ ...sample, views: sample.views.map(plainView) }));
    return this.withSurface(assembleBatch(step, plain, points, task.memory));
  }

  /** With what refinement needs of coarse predictions, where that was asked for. */
  private withSurface(batch: Batch): Batch {
    const { surfaceResolution } = this.settings;
    if (surfaceResolution === undefined || !batch.coarseVertices) return batch;
    return { ...batch, surface: prepareSurface(batch, this.source.template.faces, surfaceResolution) };
  }

  private withRotations(batch: Batch, { seed, gridRotations: model }: TrainingBatchSettings): Batch {
    if (model === undefined) return batch;
    const grids = model === 'coarse' ? 1 : this.source.template.vertices.length / 3;
    return { ...batch, gridRotations: gridRotations(seed, model, batch.step, batch.shape.batch, grids) };
  }

  private order(seed: number, frames: number): FrameOrder {
    let order = this.orders.get(seed);
    if (!order) this.orders.set(seed, (order = new FrameOrder(seed, frames)));
    return order;
  }

  private async sample(
    split: Split,
    id: FrameId,
    resizeFactor: number,
    limit: Pick<ViewChoice, 'viewsAtMost'>,
  ): Promise<Sample> {
    const name = `${split} ${frameName(id)} ${resizeFactor} ${limit.viewsAtMost ?? 'all'}`;
    const known = this.decoded.get(name);
    if (known) return known;
    const sample = await this.decode(split, id, resizeFactor, limit);
    if (split === 'train') this.decoded.keep(name, sample, this.source.count('train'));
    return sample;
  }

  private async decode(
    split: Split,
    id: FrameId,
    resizeFactor: number,
    limit: Pick<ViewChoice, 'viewsAtMost'>,
  ): Promise<Sample> {
    const [whole, coarse] = await Promise.all([this.source.load(split, id), this.readPrediction(id)]);
    const frame = { ...whole, views: atMost(whole.views, limit) };
    return decodeFrame(id, frame, coarse, resizeFactor, this.source.template.vertices.length / 3);
  }
}

async function predictionReader(
  coarse: CoarsePredictions | null,
  cache: DiskCache | null,
  patience: PatientStoreOptions,
): Promise<(id: FrameId) => Promise<EncodedFile | null>> {
  if (coarse === null) return async () => null;
  if (coarse.kind === 'directory') {
    return async (id) => {
      const file = join(coarse.path, framePath(id, 'ply'));
      const bytes = await readFile(file).catch((cause: unknown) => {
        throw new FrameUnreadable(id, `its coarse prediction ${file} cannot be read`, { cause });
      });
      return { bytes, file };
    };
  }
  const store = patientStore(await loadStore(coarse.storage, patience), patience);
  const versions = new ListedVersions(store, coarse.prefix);
  const place = placeOfStore(coarse.storage);
  return async (id) => {
    const path = framePath(id, 'ply');
    const file = `${coarse.prefix}/${path}`;
    try {
      const etag = cache && (await versions.etagOf(dirname(path), basename(path)));
      const bytes =
        etag === null ? (await store.get(file)).body : await cache!.getVersion(store, { key: file, etag, place });
      return { bytes, file };
    } catch (cause) {
      if (!(cause instanceof ObjectNotFound)) throw cause;
      throw new FrameUnreadable(id, `its coarse prediction is missing: ${cause.message}`, { cause });
    }
  };
}

/** Unlike any other store's. */
function placeOfStore(storage: StorageConfiguration): string {
  return JSON.stringify(
    storage.kind === 'directory' ? [storage.path] : [storage.endpoint, storage.bucket, storage.prefix],
  );
}
