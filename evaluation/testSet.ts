import { z } from 'zod';
import { parseObj } from '../datasets/formats/meshes/obj.js';
import { textOf } from '../datasets/formats/text.js';
import { parsePly } from '../datasets/formats/meshes/ply.js';
import { readVertexRegions, type VertexRegions } from '../datasets/vertexRegions.js';
import { openIndex } from '../datasets/index/openIndex.js';
import type { PackedIndex } from '../datasets/index/packedIndex.js';
import { withFilesInPlace, type DatasetPlace } from '../datasets/reader/inPlace.js';
import { readScan } from '../datasets/reader/readScan.js';
import { headFilesOf } from '../datasets/reader/storeSource.js';
import type { FrameId, IndexedFrame, IndexedObject } from '../datasets/types.js';
import type { Mesh } from '../geometry/mesh/mesh.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../storage/keys.js';
import { readStored } from '../storage/storedJson.js';
import type { ObjectStore } from '../storage/types.js';

const millimetresPerMetre = 1000;

const localiserSchema = z.object({ centre: z.tuple([z.number(), z.number(), z.number()]) });

/** What evaluation reads of a run and of its data set, from the object store. */
export class TestSet {
  private constructor(
    private readonly store: ObjectStore,
    private readonly run: string,
    readonly index: PackedIndex,
    /** The head template: its faces are every prediction's. */
    readonly template: Mesh,
    readonly regions: VertexRegions,
  ) {}

  /** Indices of the face's vertices. */
  get face(): ArrayLike<number> {
    return this.regions.face;
  }

  /** @param place of frames that were not packed. @throws DatasetMissing where there is no such data set. */
  static async open(packed: ObjectStore, run: string, dataset: string, place: DatasetPlace | null): Promise<TestSet> {
    const index = await openIndex(packed, dataset);
    const store = withFilesInPlace(packed, index, place);
    const headFiles = headFilesOf(index, store);
    const key = `${keys.dataset(dataset)}/${headFiles.template.key}`;
    const template = parseObj(textOf((await store.get(key)).body, key), key);
    const masksKey = `${keys.dataset(dataset)}/${headFiles.vertexMasks.key}`;
    const regions = readVertexRegions((await store.get(masksKey)).body, masksKey, index.vertexCount);
    return new TestSet(store, run, index, template, regions);
  }

  /** Stages that have a prediction of the test set. */
  async predictedStages(): Promise<('coarse' | 'refinement')[]> {
    const found: ('coarse' | 'refinement')[] = [];
    for (const stage of ['coarse', 'refinement'] as const) {
      for await (const { key } of this.store.list(`${keys.testPredictions(this.run, stage)}/`)) {
        if (!key.endsWith('.ply')) continue;
        found.push(stage);
        break;
      }
    }
    return found;
  }

  /** Predicted vertices `[L, 3]`, mm; the caller's. */
  prediction(stage: 'coarse' | 'refinement', id: FrameId): Promise<Float32Array> {
    return this.vertices(`${keys.testPredictions(this.run, stage)}/${frameMeshPath(id)}`);
  }

  /** Registered vertices `[L, 3]`, mm; null where the data set has none. The caller's. */
  async registration(frame: IndexedFrame): Promise<Float32Array | null> {
    return frame.registration === null ? null : this.vertices(this.keyOf(frame.registration));
  }

  /** Scan points `[N, 3]`, mm; null where the data set has none. The caller's. */
  async scanPoints(frame: IndexedFrame): Promise<Float32Array | null> {
    if (frame.scan === null) return null;
    const key = this.keyOf(frame.scan);
    return readScan({ bytes: (await this.store.get(key)).body, file: key });
  }

  /** Where the localiser put its grid, mm; null where it was not recorded. */
  async localisedCentre(id: FrameId): Promise<readonly [number, number, number] | null> {
    const path = frameLocaliserPath(id);
    const key = `${keys.testPredictions(this.run, 'coarse')}/${path}`;
    const todo = 'Delete it, and have the frame predicted again';
    return (await readStored(this.store, key, { schema: localiserSchema, todo }))?.centre ?? null;
  }

  /** An object of the data set. */
  async bytes(object: IndexedObject): Promise<Uint8Array> {
    return (await this.store.get(this.keyOf(object))).body;
  }

  private keyOf(object: IndexedObject): string {
    return `${keys.dataset(this.index.name)}/${object.key}`;
  }

  private async vertices(key: string): Promise<Float32Array> {
    const { vertices } = parsePly((await this.store.get(key)).body, key);
    if (vertices.length !== this.template.vertices.length) {
      throw new Error(
        `${key}: ${vertices.length / 3} vertices; expected ${this.template.vertices.length / 3}, as the data set's template has`,
      );
    }
    return vertices.map((coordinate) => coordinate * millimetresPerMetre);
  }
}
