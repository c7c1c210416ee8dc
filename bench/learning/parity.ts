import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StageConfiguration, TrainingStage } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import { disposeState, initialState } from '../../model/index.js';
import type { StageData } from '../../training/loop/stageData.js';
import { readModelArrays } from '../../training/process/stateArrays.js';
import { stageLayouts } from '../../training/process/stageState.js';
import { coarseGuess } from './coarseGuess.js';
import { ourCurve } from './parityCurves.js';
import { readCurve, writeParityFiles, type LossCurve, type ParityPlan, type ParityStage } from './parityFiles.js';
import { generateFolder, openBatchesOf, type GeneratedFolder } from './twoFrames.js';

/** Loss curves of one stage over the same batches: ours, and PyTorch's with the views in so many orders. */
export interface ParityCurves {
  readonly stage: ParityStage;
  readonly ours: LossCurve;
  readonly pytorch: readonly LossCurve[];
}

export interface ParityOptions {
  /** A Python with torch and numpy. */
  readonly python: string;
  readonly steps: number;
  readonly signal: AbortSignal;
  readonly report: (text: string) => void;
}

/** Smaller pictures than the miniature's, and few people: the networks are the miniature's own. */
const people = {
  sensor: { width: 384, height: 320 },
  subjects: { train: 3, validation: 1, test: 1 },
  framesPerSequence: { train: 4, validation: 1, test: 1 },
  textureSize: 128,
};
/** Orders of the views: as they come, and by these seeds. */
const orders = [null, 1, 2, 3, 4] as const;
const guessedWithin = 5;

/**
 * The same batches through our trainer's step and through the PyTorch rewrite: as the loader makes them, with subsets of
 * views, augmentation, turned grids. The coarse stage has half of its steps with pre-training's loss, half with
 * fine-tuning's.
 */
export async function parity(options: ParityOptions): Promise<ParityCurves[]> {
  const { python, steps, signal, report } = options;
  const configuration = await loadConfiguration('miniature');
  const data = await generateFolder(people);
  try {
    const found: ParityCurves[] = [];
    for (const stage of ['coarse', 'refinement'] as const) {
      const folder = join(data.folder, stage);
      const plan = await planOf(stage, configuration, data, steps, signal);
      try {
        await writeParityFiles(folder, plan);
        const progress = (who: string) => (step: number) => {
          signal.throwIfAborted();
          if (step % 25 === 0) report(`${stage}, ${who}: step ${step} of ${steps}`);
        };
        const ours = await ourCurve(plan, progress('ours'));
        const pytorch: LossCurve[] = [];
        for (const order of orders) {
          const output = join(folder, `losses-${order ?? 'plain'}.json`);
          const permuted = order === null ? [] : ['--permute', String(order)];
          await runProgram(python, [program, folder, output, ...permuted], signal);
          report(`${stage}, PyTorch: ${pytorch.length + 1} of ${orders.length} runs`);
          pytorch.push(await readCurve(output));
        }
        found.push({ stage, ours, pytorch });
      } finally {
        await plan.data.close();
      }
    }
    return found;
  } finally {
    await data.remove();
  }
}

/** One thread an operation: more wait for one another where a machine is busy, and their sums have no order. */
async function runProgram(python: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  await promisify(execFile)(python, [...args], { signal, env: { ...process.env, OMP_NUM_THREADS: '1' } });
}

const program = join(packageRoot, 'bench', 'pytorch', 'train_batches.py');

/** The paper's rates; the schedule is constant, grids are turned, and all vertices count in the points loss. */
function paperLike(settings: StageConfiguration, points: StageConfiguration['pointRegionWeights']): StageConfiguration {
  return {
    ...settings,
    learningRate: 1e-3,
    localiserLearningRate: 1e-4,
    schedule: { kind: 'constant' },
    randomGridRotations: true,
    pointRegionWeights: points,
    scanPoints: 1000,
  };
}

async function planOf(
  stage: ParityStage,
  configuration: RunConfiguration,
  folder: GeneratedFolder,
  steps: number,
  signal: AbortSignal,
): Promise<ParityPlan> {
  const { training, seed } = configuration;
  const parts: readonly TrainingStage[] =
    stage === 'coarse' ? ['coarse-pretraining', 'coarse-finetuning'] : ['refinement'];
  const of = parts.map((part) => paperLike(training[part], training[parts.at(-1)!].pointRegionWeights));
  const settings = Array.from({ length: steps }, (_, step) => of[Math.floor((step * of.length) / steps)]!);
  // One loader for all steps: the later part's, which has scans.
  const asked = { ...of.at(-1)!, iterations: steps };
  const used = { ...configuration, training: { ...training, [parts.at(-1)!]: asked } };
  const data = await openBatchesOf(used, parts.at(-1)!, folder.source(used), signal);
  const layouts = stageLayouts(parts.at(-1)!, used, data.template.vertices.length / 3);
  const state = initialState(layouts, seed);
  const initial = readModelArrays(state);
  disposeState(state);
  const batches = await batchesOf(data, stage, steps);
  return { stage, configuration: used, settings, data, batches, layouts, initial };
}

async function batchesOf(data: StageData, stage: ParityStage, steps: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (let step = 0; step < steps; step++) {
    const batch = await data.batch(step);
    batches.push(stage === 'coarse' ? batch : { ...batch, coarseVertices: coarseGuess(batch, guessedWithin) });
  }
  return batches;
}
