import { formatPly } from '../../datasets/formats/meshes/ply.js';
import { meshInMetres } from '../../datasets/reader/meshes.js';
import type { FrameId } from '../../datasets/types.js';
import type { ViewChoice } from '../../datasets/views.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { frameMeshPath } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { FoldersUnsuitable } from './job.js';

/** Beside the predictions: by what they were made. */
const originFile = 'prediction.json';

/** What predictions depend on, beside their frame. */
export interface PredictionOrigin extends ViewChoice {
  readonly stages: string;
  /** Fingerprints of the models, in the order in which a frame goes through them. */
  readonly models: readonly string[];
  /** By which the calibrations are divided; of the models in their order. */
  readonly imageResizeFactors: readonly number[];
}

/** A folder of predicted meshes, `S/Q/Q.N.ply` in metres. Files appear whole or not at all. */
export class OutputFolder {
  private originIsThere: Promise<unknown> | null;

  private constructor(
    private readonly store: ObjectStore,
    private readonly faces: Uint32Array,
    private readonly origin: PredictionOrigin,
    originIsThere: boolean,
  ) {
    this.originIsThere = originIsThere ? Promise.resolve() : null;
  }

  /**
   * Opens a folder, which is made with the first prediction.
   *
   * @param replace whether what other models have left may be replaced.
   * @throws FoldersUnsuitable when it holds predictions of other models, which those that are missing must not be mixed with.
   */
  static async open(
    path: string,
    faces: Uint32Array,
    origin: PredictionOrigin,
    replace: boolean,
  ): Promise<OutputFolder> {
    const store = directoryStore(path);
    const before = await readOrigin(store);
    const isOurs = before === JSON.stringify(origin);
    if (before !== null && !isOurs && !replace) {
      throw new FoldersUnsuitable(
        `${path} holds predictions by another model or other settings (${originFile} there says which): ` +
          'name another folder, or replace them with --overwrite.',
      );
    }
    return new OutputFolder(store, faces, origin, isOurs);
  }

  async has(id: FrameId): Promise<boolean> {
    return (await this.store.head(frameMeshPath(id))) !== null;
  }

  async remove(id: FrameId): Promise<void> {
    await this.store.delete([frameMeshPath(id)]);
  }

  /** Removes predictions, and what they were made by: others may follow. */
  async clear(frames: readonly FrameId[]): Promise<void> {
    await this.store.delete(frames.map(frameMeshPath));
    // Last: interrupted before it, what is left must not be taken for ours.
    await this.store.delete([originFile]);
    this.originIsThere = null;
  }

  /** @param vertices `[L, 3]`, mm. */
  async write(id: FrameId, vertices: Float32Array): Promise<void> {
    const json = `${JSON.stringify(this.origin, null, 2)}\n`;
    this.originIsThere ??= this.store.put(originFile, Buffer.from(json));
    await this.originIsThere;
    await this.store.put(frameMeshPath(id), formatPly(meshInMetres({ vertices, faces: this.faces })));
  }
}

/** As compact JSON; null where there is none. What is no JSON is another origin. */
async function readOrigin(store: ObjectStore): Promise<string | null> {
  try {
    const text = Buffer.from((await store.get(originFile)).body).toString('utf8');
    return JSON.stringify(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    if (cause instanceof SyntaxError) return '';
    throw cause;
  }
}
