import { formatPly } from '../datasets/formats/meshes/ply.js';
import { meshInMetres } from '../datasets/reader/meshes.js';
import type { FrameId } from '../datasets/types.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import type { Localisation } from './coarsePredictor.js';

/** Where a run's predictions go: for refinement to train on, or of the test set. */
export class PredictionWriter {
  constructor(
    private readonly store: ObjectStore,
    private readonly run: string,
    private readonly stages: 'coarse' | 'both',
    private readonly faces: Uint32Array,
  ) {}

  /** Whether all that would be written of a frame is there. */
  async has(id: FrameId): Promise<boolean> {
    const found = await Promise.all(this.keysOf(id).map((key) => this.store.head(key)));
    return found.every((information) => information !== null);
  }

  /** `[L, 3]`, mm. */
  async coarse(id: FrameId, vertices: Float32Array, localisation: Localisation): Promise<void> {
    const [mesh, place] = this.keysOf(id);
    if (place !== undefined && this.stages === 'both') {
      await this.store.put(place, Buffer.from(JSON.stringify(localisation)), { contentType: 'application/json' });
    }
    await this.mesh(mesh!, vertices);
  }

  /** `[L, 3]`, mm. */
  async refined(id: FrameId, vertices: Float32Array): Promise<void> {
    await this.mesh(this.keysOf(id)[2]!, vertices);
  }

  private async mesh(key: string, vertices: Float32Array): Promise<void> {
    await this.store.put(key, formatPly(meshInMetres({ vertices, faces: this.faces })));
  }

  /** Coarse mesh; of test frames the localiser's place and the refined mesh. */
  private keysOf(id: FrameId): string[] {
    const mesh = frameMeshPath(id);
    if (this.stages === 'coarse') return [`${keys.predictions(this.run)}/${mesh}`];
    const coarse = keys.testPredictions(this.run, 'coarse');
    const place = frameLocaliserPath(id);
    return [`${coarse}/${mesh}`, `${coarse}/${place}`, `${keys.testPredictions(this.run, 'refinement')}/${mesh}`];
  }
}
