import { miniaturePresets } from '../miniature/settings.js';
import type { Precision } from '../configs/schema/run.js';

/** What can be measured: a prediction, or a training step, of either network. The names are those of `bench/pytorch`. */
export const caseNames = ['coarse-predict', 'refinement-predict', 'coarse-step', 'refinement-step'] as const;
export type CaseName = (typeof caseNames)[number];

/** Sizes of the networks and of what they are given: those of configs/famos.yaml (the paper's), and of the generated data. */
export const scaleNames = ['paper', 'workshop', 'miniature'] as const;
export type ScaleName = (typeof scaleNames)[number];

/** One measurement, in a process of its own. */
export interface MeasureCase {
  readonly name: CaseName;
  readonly scale: ScaleName;
  readonly views: number;
  readonly batch: number;
  /** L */
  readonly vertices: number;
  /** Runs after the first, which warms up; null: as many as fit into 20 s, 1 to 10. */
  readonly repeats: number | null;
  readonly precision: Precision;
  readonly deterministic: boolean;
}

/** Views and batch of the published figures that a case is compared with. */
const usual: Readonly<Record<CaseName, { readonly views: number; readonly batch: number }>> = {
  'coarse-predict': { views: 16, batch: 1 },
  'refinement-predict': { views: 16, batch: 1 },
  'coarse-step': { views: 8, batch: 2 },
  'refinement-step': { views: 8, batch: 1 },
};

/** FLAME's 5023 vertices at paper scale; those of generated templates. */
const vertexCounts: Readonly<Record<ScaleName, number>> = {
  paper: 5023,
  workshop: miniaturePresets.workshop.vertexCount,
  miniature: miniaturePresets.miniature.vertexCount,
};

/** What is measured where nothing else is asked for. */
const usualArithmetic = { precision: 'float32', deterministic: false } as const;

/** A case with what was asked for; what was not has its usual value. */
export function measureCase(
  name: CaseName,
  scale: ScaleName,
  asked: Partial<Record<'views' | 'batch' | 'vertices' | 'repeats', number | undefined>>,
  arithmetic: { readonly precision: Precision; readonly deterministic: boolean } = usualArithmetic,
): MeasureCase {
  return {
    name,
    scale,
    views: asked.views ?? usual[name].views,
    batch: asked.batch ?? usual[name].batch,
    vertices: asked.vertices ?? vertexCounts[scale],
    repeats: asked.repeats ?? null,
    ...arithmetic,
  };
}
