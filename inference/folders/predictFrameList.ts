import { setImmediate as breathe } from 'node:timers/promises';
import { openBatches, type Batches } from '../../datasets/batches/openBatches.js';
import { frameName } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import { viewsOfFrame, type FrameFolders } from '../../datasets/reader/frameFolders.js';
import type { Batch, FrameId } from '../../datasets/types.js';
import { viewChoiceOf } from '../../datasets/views.js';
import { precisionWarning } from '../../tensor/index.js';
import { Throughput } from '../../training/loop/throughput.js';
import { CoarsePredictor } from '../coarsePredictor.js';
import type { PredictionResult, PredictorEvent } from '../protocol.js';
import { RefinementPredictor } from '../refinementPredictor.js';
import { PredictionStopped } from '../stopped.js';
import { FrameFailed, type FolderPredictionJob, type FrameFailure } from './job.js';
import { loadModel, requireTopology } from './loadModel.js';
import { missingFrames } from './missingFrames.js';
import { openJob, type OpenedJob } from './openJob.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** Frames that go through one model before the other is loaded: their coarse vertices wait in memory. */
const framesOfTurn = 64;
/** Frames that are read beside the one that is predicted. */
const ahead = 1;

/**
 * Predicts frames of folders in FaMoS layout and writes meshes in metres. Frames whose predictions are there are skipped,
 * so it may be interrupted and repeated at will. A frame that cannot be read, or for which the model's numbers are not
 * finite, is reported, and the others go on.
 *
 * One model is loaded at a time: where frames go through both, they take turns.
 *
 * @param signal aborted: PredictionStopped is thrown after the frame at hand.
 * @throws FoldersUnsuitable, FrameFailed (strict), FormatError, and what `loadModel` throws
 */
export async function predictFolders(
  job: FolderPredictionJob,
  report: (event: PredictorEvent) => void,
  signal: AbortSignal,
): Promise<PredictionResult> {
  const costs = precisionWarning();
  if (costs !== null) report({ kind: 'warning', message: costs });
  report({ kind: 'starting', message: 'Looking at the folders' });
  const opened = await openJob(job);
  return new FolderPrediction(job, opened, report, signal).run();
}

class FolderPrediction {
  private readonly started = performance.now();
  private readonly throughput = new Throughput();
  private readonly failures: FrameFailure[] = [];
  private readonly folders: FrameFolders;
  private skipped = 0;
  private done = 0;

  constructor(
    private readonly job: FolderPredictionJob,
    private readonly opened: OpenedJob,
    private readonly report: (event: PredictorEvent) => void,
    private readonly signal: AbortSignal,
  ) {
    const { images, calibrations, configuration } = job;
    this.folders = { images, calibrations, imageExtension: configuration.dataset.imageExtension };
  }

  async run(): Promise<PredictionResult> {
    const { frames } = this.opened;
    const missing = this.job.overwrite
      ? frames
      : (await missingFrames(this.opened, () => this.requireGoingOn())).map((index) => frames[index]!);
    this.skipped = this.done = frames.length - missing.length;
    this.tell();
    if (missing.length > 0) await this.predict(missing);
    const { skipped, failures } = this;
    const seconds = (performance.now() - this.started) / 1000;
    return { predicted: missing.length - failures.length, skipped, failures, seconds };
  }

  private async predict(frames: readonly FrameId[]): Promise<void> {
    const { stages, configuration, coarsePredictions } = this.job;
    const { loader } = configuration;
    const { template } = this.opened;
    const batches = await openBatches(
      {
        source: { kind: 'folders', folders: this.folders, template },
        ...viewChoiceOf(configuration),
        coarsePredictions: coarsePredictions === null ? null : { kind: 'directory', path: coarsePredictions },
        threads: Math.min(loader.threads, ahead + 1),
      },
      ahead,
      { warn: (message) => this.report({ kind: 'waiting', message }), signal: this.signal },
    );
    await withCleanUp(
      async () => {
        const size = stages === 'both' ? framesOfTurn : frames.length;
        for (let first = 0; first < frames.length; first += size) {
          const turn = frames.slice(first, first + size);
          if (stages === 'coarse') await this.coarse(batches, turn, null);
          else if (stages === 'refinement') await this.refine(batches, turn, null);
          else {
            const vertices = new Map<FrameId, Float32Array>();
            await this.coarse(batches, turn, vertices);
            await this.refine(batches, [...vertices.keys()], vertices);
          }
        }
      },
      () => batches.close(),
    );
  }

  /** @param kept gets the vertices for the other model, in mm; null where this is the last. */
  private async coarse(
    batches: Batches,
    frames: readonly FrameId[],
    kept: Map<FrameId, Float32Array> | null,
  ): Promise<void> {
    const { model, training } = this.job.configuration;
    const { template, outputs } = this.opened;
    this.report({ kind: 'starting', message: 'Loading the coarse model' });
    const loaded = await loadModel(this.job, 'coarse');
    requireTopology(loaded, template, this.job);
    const predictor = new CoarsePredictor(model.coarse, loaded, template.vertices.length / 3);
    try {
      const { imageResizeFactor } = training['coarse-finetuning'];
      await this.each(batches, frames, imageResizeFactor, kept === null, (id, batch) => {
        const { vertices } = predictor.predict(batch)[0]!;
        requireFinite(id, vertices);
        kept?.set(id, vertices);
        return outputs.coarse?.write(id, vertices);
      });
    } finally {
      predictor.dispose();
    }
  }

  /** @param coarse vertices by frame, in mm, which are let go as they are used; null where the batches bring them. */
  private async refine(
    batches: Batches,
    frames: readonly FrameId[],
    coarse: Map<FrameId, Float32Array> | null,
  ): Promise<void> {
    if (frames.length === 0) return;
    const { model, training } = this.job.configuration;
    const { template, outputs } = this.opened;
    this.report({ kind: 'starting', message: 'Loading the refinement model' });
    const predictor = new RefinementPredictor(model.refinement, await loadModel(this.job, 'refinement'), template);
    try {
      await this.each(batches, frames, training.refinement.imageResizeFactor, true, (id, batch) => {
        const coarseVertices = coarse?.get(id) ?? batch.coarseVertices;
        coarse?.delete(id);
        const vertices = predictor.predict({ ...batch, coarseVertices })[0]!;
        requireFinite(id, vertices);
        return outputs.refinement?.write(id, vertices);
      });
    } finally {
      predictor.dispose();
    }
  }

  /**
   * Frames through a model, one after the other: the next is read, and the one before written, meanwhile.
   *
   * @param last whether a frame is done then.
   * @param work predicts a frame, and starts writing it. @throws PredictionStopped, FrameFailed
   */
  private async each(
    batches: Batches,
    frames: readonly FrameId[],
    resizeFactor: number,
    last: boolean,
    work: (id: FrameId, batch: Batch) => Promise<void> | undefined,
  ): Promise<void> {
    const read = batches.single(
      frames.map((id) => ({ split: 'test', id })),
      resizeFactor,
    );
    let writing: Promise<void> = Promise.resolve();
    let at = 0;
    try {
      for await (const batch of read) {
        const id = frames[at++]!;
        if (this.signal.aborted) break;
        const written = writing;
        try {
          if (batch instanceof FrameUnreadable) throw batch;
          if (last) await this.warnOfViews(id);
          const started = work(id, batch) ?? Promise.resolve();
          const message = `Coarse model: ${at} of ${frames.length}`;
          writing = Promise.all([written, started]).then(() =>
            last ? this.finish() : this.report({ kind: 'starting', message }),
          );
          writing.catch(() => undefined);
        } catch (error) {
          if (!(error instanceof FrameUnreadable)) throw error;
          await this.fail(id, error.reason, last);
        }
        await written;
        // Signals, messages and files get their turn.
        await breathe();
      }
      await writing;
    } finally {
      // Whatever ended it: nothing is written any more when this has returned.
      await writing.catch(() => undefined);
    }
    this.requireGoingOn();
  }

  private requireGoingOn(): void {
    if (this.signal.aborted) throw new PredictionStopped(`Prediction was stopped: ${String(this.signal.reason)}`);
  }

  private finish(): void {
    this.done++;
    this.throughput.tick();
    this.tell();
  }

  private async fail(id: FrameId, reason: string, last: boolean): Promise<void> {
    const text = `${frameName(id)}: ${reason}`;
    if (this.job.strict) throw new FrameFailed(text);
    if (this.job.overwrite) await this.removeEarlier(id, last);
    this.failures.push({ id, reason });
    this.report({ kind: 'warning', message: text });
    this.done++;
    this.tell();
  }

  /** What another model has left of a frame must not pass for ours. Where the refinement failed, the coarse one is. */
  private async removeEarlier(id: FrameId, last: boolean): Promise<void> {
    const { coarse, refinement } = this.opened.outputs;
    if (!last || refinement === null) await coarse?.remove(id);
    await refinement?.remove(id);
  }

  private tell(): void {
    const { done, skipped } = this;
    const framesPerSecond = this.throughput.stepsPerSecond;
    this.report({ kind: 'progress', progress: { done, total: this.opened.frames.length, skipped, framesPerSecond } });
  }

  /** A frame is predicted from the views that it has: those that it lacks are reported. */
  private async warnOfViews(id: FrameId): Promise<void> {
    const { usable, withoutImage, withoutCalibration, unknown } = await viewsOfFrame(
      this.folders,
      id,
      this.job.configuration,
    );
    const lacks = [
      ...(withoutImage.length > 0 ? [`no image of ${withoutImage.join(', ')}`] : []),
      ...(withoutCalibration.length > 0 ? [`no calibration of ${withoutCalibration.join(', ')}`] : []),
      ...(unknown.length > 0 ? [`no camera ${unknown.join(', ')}`] : []),
    ];
    if (lacks.length === 0) return;
    const message = `${frameName(id)}: predicted from ${usable.length} views; there is ${lacks.join(' and ')}`;
    this.report({ kind: 'warning', message });
  }
}

/** Meshes with holes in them must not be written: who reads them would find out much later. */
function requireFinite(id: FrameId, vertices: Float32Array): void {
  const bad = vertices.findIndex((coordinate) => !Number.isFinite(coordinate));
  if (bad < 0) return;
  const reason = `the model gave ${vertices[bad]} for vertex ${Math.floor(bad / 3)}: its weights or the frame's calibrations are bad`;
  throw new FrameUnreadable(id, reason);
}
