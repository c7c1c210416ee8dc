import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { trainingStages, type TrainingStage } from '../../../configs/schema/training.js';

/**
 * How fast trainers go on: from the place of the next fault on they creep, until it has struck. Without that a run is
 * over before a schedule is. They must not stand still: that is a fault of its own.
 */
const creepMilliseconds = 1000;

export interface Place {
  readonly stage: TrainingStage;
  readonly step: number;
}

/** @param file that the environment of trainers names as PACE. @param from null: nowhere. */
export function setPace(file: string, from: Place | null): void {
  writeFileSync(file, JSON.stringify(from));
}

/** Before a step of a trainer. */
export async function keepPace(stage: TrainingStage, step: number): Promise<void> {
  const file = process.env['TEMPEH_TEST_PACE'];
  if (file === undefined) return;
  const from = JSON.parse(readFileSync(file, 'utf8')) as Place | null;
  if (from !== null && order({ stage, step }) >= order(from)) await sleep(creepMilliseconds);
}

function order({ stage, step }: Place): number {
  return trainingStages.indexOf(stage) * 1e9 + step;
}
