import type { MetricMeter } from '@temporalio/common';
import type { CacheCounts } from '../../datasets/cache/counts.js';
import type { StageProgress } from '../../training/process/protocol.js';

/**
 * The numbers that a worker reports about what it trains and predicts, for Prometheus. Tags: `run`, and `stage`
 * (`predictions` of a predictor).
 */
export const metricNames = {
  step: 'tempeh_stage_step',
  totalSteps: 'tempeh_stage_steps',
  rate: 'tempeh_stage_steps_per_second',
  loss: 'tempeh_stage_loss',
  checkpointStep: 'tempeh_stage_checkpoint_step',
  phaseSeconds: 'tempeh_stage_phase_seconds',
  checkpointSeconds: 'tempeh_stage_checkpoint_seconds',
  validationLoss: 'tempeh_stage_validation_loss',
  validationDistance: 'tempeh_stage_validation_point_to_surface_mm',
  skipped: 'tempeh_stage_skipped_batches',
  bytesRead: 'tempeh_stage_read_bytes',
  bytesWritten: 'tempeh_stage_written_bytes',
  lastHeard: 'tempeh_process_last_word_timestamp_seconds',
  cacheHits: 'tempeh_stage_cache_hits',
  cacheMisses: 'tempeh_stage_cache_misses',
  cacheEvicted: 'tempeh_stage_cache_evicted',
  waiting: 'tempeh_process_waiting',
  running: 'tempeh_process_running',
  warnings: 'tempeh_process_warnings',
  ends: 'tempeh_process_ends',
} as const;

/** How a trainer or predictor ended; `stopped` was told to: a pre-emption, a pause, a cancellation. */
export type ProcessEndKind = 'finished' | 'stopped' | 'failed' | 'crashed' | 'hung';

/** Reports the numbers of one attempt, as they come in. */
export class StageMetrics {
  private readonly meter: MetricMeter;
  private read = 0;
  private written = 0;
  private cache: Pick<CacheCounts, 'hits' | 'misses' | 'evicted'> = { hits: 0, misses: 0, evicted: 0 };

  /** @param meter of the worker; its numbers reach `/metrics`. */
  constructor(meter: MetricMeter, of: { readonly run: string; readonly stage: string }) {
    this.meter = meter.withTags({ run: of.run, stage: of.stage });
    this.gauge(metricNames.running, 1, 'Whether a process is at work');
    this.waiting(false);
  }

  progress(progress: StageProgress): void {
    const { step, totalSteps, stepsPerSecond, loss, checkpointStep, skippedBatches, bytesRead, bytesWritten } =
      progress;
    this.gauge(metricNames.step, step, 'Steps done');
    this.gauge(metricNames.totalSteps, totalSteps, 'Steps that the stage has');
    this.gauge(metricNames.rate, stepsPerSecond, 'Steps a second');
    if (loss !== null) this.gauge(metricNames.loss, loss, 'Training loss of the last logged step');
    if (checkpointStep !== null) this.gauge(metricNames.checkpointStep, checkpointStep, 'Step of the last checkpoint');
    for (const [phase, seconds] of Object.entries(progress.phases ?? {})) {
      this.meter
        .createGauge(metricNames.phaseSeconds, 'float', undefined, 'Seconds of a step, by phase: mean of the last ones')
        .set(seconds, { phase });
    }
    if (typeof progress.checkpointSeconds === 'number') {
      this.gauge(metricNames.checkpointSeconds, progress.checkpointSeconds, 'Seconds that the last checkpoint took');
    }
    if (progress.validation) {
      const { loss: validated, pointToSurface } = progress.validation;
      this.gauge(metricNames.validationLoss, validated, 'Loss of the last validation');
      if (pointToSurface !== null) {
        this.gauge(metricNames.validationDistance, pointToSurface, 'Scan to surface of the last validation, mm');
      }
    }
    this.gauge(metricNames.skipped, skippedBatches, 'Batches without a finite loss, skipped');
    this.count(metricNames.bytesRead, bytesRead - this.read, 'Bytes of frames read');
    this.count(metricNames.bytesWritten, bytesWritten - this.written, 'Bytes of checkpoints written');
    const { cache } = progress;
    if (cache !== undefined) {
      this.count(metricNames.cacheHits, cache.hits - this.cache.hits, 'Objects that the cache of frames had');
      this.count(metricNames.cacheMisses, cache.misses - this.cache.misses, 'Objects that it had not');
      this.count(metricNames.cacheEvicted, cache.evicted - this.cache.evicted, 'Objects that it removed to make room');
      this.cache = cache;
    }
    this.read = Math.max(this.read, bytesRead);
    this.written = Math.max(this.written, bytesWritten);
  }

  /** Called at each message of the process. */
  heard(): void {
    this.gauge(metricNames.lastHeard, Date.now() / 1000, 'When the process was last heard of');
  }

  /** For the object store, or for credentials. */
  waiting(waits: boolean): void {
    this.gauge(metricNames.waiting, waits ? 1 : 0, 'Whether it waits for the object store or for credentials');
  }

  warning(): void {
    this.count(metricNames.warnings, 1, 'Warnings of the process');
  }

  ended(how: ProcessEndKind): void {
    this.meter.createCounter(metricNames.ends, undefined, 'Ends of processes, by how').add(1, { how });
    for (const name of [metricNames.running, metricNames.waiting, metricNames.rate]) this.gauge(name, 0, '');
  }

  private gauge(name: string, value: number, help: string): void {
    this.meter.createGauge(name, 'float', undefined, help).set(value);
  }

  private count(name: string, more: number, help: string): void {
    if (more > 0) this.meter.createCounter(name, undefined, help).add(more);
  }
}
