import { randomUUID } from 'node:crypto';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { checkConditionalPuts } from '../../storage/wrappers/conditionalPuts.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { ClaimedManifest } from '../manifest/claimedManifest.js';
import { readManifest } from '../manifest/readManifest.js';
import {
  checkpointStageOf,
  type CheckpointStage,
  type Manifest,
  type ManifestCheckpoint,
} from '../manifest/manifestSchema.js';
import { readPart } from '../reading/readCheckpoint.js';
import { partNames } from '../reading/trainingState.js';

/** Thrown when a run cannot be branched; the message says what there is, and what to do. */
export class BranchRefused extends Error {
  override readonly name = 'BranchRefused';
}

/** The checkpoint that a new run starts from. */
export interface BranchPoint {
  readonly run: string;
  /** `coarse`: of pre-training or fine-tuning, whichever is newer. */
  readonly stage: TrainingStage | 'coarse';
  /** null: the newest. */
  readonly step: number | null;
}

export interface Branch {
  readonly store: ObjectStore;
  readonly from: BranchPoint;
  /** The new run's name. */
  readonly run: string;
  /** The new run's. */
  readonly training: RunConfiguration['training'];
  readonly report: (line: string) => void;
}

/**
 * Gives a new run the checkpoints that it goes on from: the named one, and the final ones of the stages before it, which
 * count as done. Each part is compared with its checksum on the way; what is copied counts once the new run's manifest
 * names it, so that an interrupted branching is simply done again. The events of before stay with the old run.
 *
 * @returns the step that training goes on from.
 * @throws BranchRefused when there is no such checkpoint, it lies beyond the new run's end of its stage, or the new run
 * has some of its own.
 * @throws DamagedCheckpoint
 */
export async function branchRun(branch: Branch): Promise<{ readonly step: number; readonly stage: TrainingStage }> {
  const { source, chosen, before } = await checkBranch(branch);
  if (before !== null) await copyStage(branch, before.source, before.final);
  await copyStage(branch, source, chosen);
  return { step: chosen.step, stage: chosen.stage };
}

/**
 * As `branchRun`, for what may be asked for again: a run that has begun at the stage stays as it is, and what an interrupted
 * branching has copied is not copied again.
 *
 * @throws BranchRefused, DamagedCheckpoint
 */
export async function ensureBranch(branch: Branch): Promise<void> {
  const { store, run, from } = branch;
  const has = async (stage: CheckpointStage): Promise<boolean> =>
    ((await readManifest(store, run, stage))?.checkpoints.length ?? 0) > 0;
  const stage = stageOf(from);
  if (await has(stage)) return;
  const { source, chosen, before } = await sourcesOf(branch);
  if (before !== null && !(await has('coarse'))) await copyStage(branch, before.source, before.final);
  await copyStage(branch, source, chosen);
}

/** What branching copies: of the stage that it goes on with, and of the one before, where there is one. */
interface BranchSources {
  readonly source: Manifest;
  readonly chosen: ManifestCheckpoint;
  readonly before: { readonly source: Manifest; readonly final: ManifestCheckpoint } | null;
}

/**
 * Looks whether a run can be branched, and copies nothing.
 *
 * @throws BranchRefused as `branchRun`
 */
export async function checkBranch(branch: Omit<Branch, 'report'>): Promise<BranchSources> {
  const { store, from, run } = branch;
  if (from.run === run)
    throw new BranchRefused(`${run} cannot be branched from itself: give the new run another name.`);
  for (const stage of ['coarse', 'refinement'] as const) await refuseOthers(store, run, stage);
  return sourcesOf(branch);
}

const stageOf = ({ stage }: BranchPoint): CheckpointStage => (stage === 'coarse' ? 'coarse' : checkpointStageOf(stage));

async function sourcesOf(branch: Omit<Branch, 'report'>): Promise<BranchSources> {
  const { from, run } = branch;
  const stage = stageOf(from);
  const source = await manifestOf(branch, stage);
  const chosen = choose(source, from);
  const { iterations } = branch.training[chosen.stage];
  if (chosen.step > iterations) {
    throw new BranchRefused(
      `${run} is to train ${chosen.stage} to step ${iterations}, and the checkpoint of ${from.run} is of step ` +
        `${chosen.step}. Take an earlier one (@STEP), or --set training.${chosen.stage}.iterations=N.`,
    );
  }
  if (stage === 'coarse') return { source, chosen, before: null };
  const coarse = await manifestOf(branch, 'coarse');
  const final = coarse.checkpoints.find(({ key }) => key === coarse.finished['coarse-finetuning']?.key);
  if (!final) {
    throw new BranchRefused(`The coarse model of ${from.run} is not finished: its refinement cannot be branched.`);
  }
  return { source, chosen, before: { source: coarse, final } };
}

/** The same settings of the networks, or the weights mean nothing. @throws BranchRefused naming the part that differs. */
export function refuseOtherNetworks(
  from: BranchPoint,
  before: RunConfiguration['model'],
  after: RunConfiguration['model'],
): void {
  const needed = from.stage === 'refinement' ? (['coarse', 'refinement'] as const) : (['coarse'] as const);
  for (const model of needed) {
    if (networkOf(before[model]) === networkOf(after[model])) continue;
    throw new BranchRefused(
      `The settings model.${model} are not those of ${from.run}, whose weights they are to take over. ` +
        `Leave them as they are there (${keys.runConfiguration(from.run)}).`,
    );
  }
}

/** As JSON, without what a network starts from, which is no part of it. */
function networkOf(model: RunConfiguration['model']['coarse' | 'refinement']): string {
  return JSON.stringify({ ...model, trunk: undefined });
}

async function refuseOthers(store: ObjectStore, run: string, stage: CheckpointStage): Promise<void> {
  const last = (await readManifest(store, run, stage))?.checkpoints.at(-1);
  if (!last) return;
  const todo = 'Give the new run another name, or leave --from out to go on with it';
  throw new BranchRefused(`Run ${run} has a ${stage} checkpoint of step ${last.step} already. ${todo}.`);
}

async function manifestOf({ store, from }: Pick<Branch, 'store' | 'from'>, stage: CheckpointStage): Promise<Manifest> {
  const manifest = await readManifest(store, from.run, stage);
  if (manifest && manifest.checkpoints.length > 0) return manifest;
  const key = keys.manifest(from.run, stage);
  throw new BranchRefused(`Run ${from.run} has no ${stage} checkpoint: ${key} in ${store.description} names none.`);
}

function choose({ checkpoints }: Manifest, { run, stage, step }: BranchPoint): ManifestCheckpoint {
  const fitting = checkpoints.filter((checkpoint) => stage === 'coarse' || checkpoint.stage === stage);
  const chosen = step === null ? fitting.at(-1) : fitting.findLast((checkpoint) => checkpoint.step === step);
  if (chosen) return chosen;
  const there = fitting.map((checkpoint) => checkpoint.step).join(', ') || 'none';
  const todo = 'checkpoints.milestoneEvery and keepLast say which are kept';
  throw new BranchRefused(
    `Run ${run} has no ${stage} checkpoint${step === null ? '' : ` of step ${step}`}; it has: ${there} (${todo}).`,
  );
}

/** Copies a checkpoint, and those that stages before it ended with. */
async function copyStage(branch: Branch, source: Manifest, chosen: ManifestCheckpoint): Promise<void> {
  const { store, run } = branch;
  const attempt = `branch-${randomUUID()}`;
  await checkConditionalPuts(store, `${keys.checkpoints(run, source.stage)}/conditional-put-check`);
  const finished = Object.entries(source.finished).filter(
    ([, { step, key }]) => step <= chosen.step && source.checkpoints.some((checkpoint) => checkpoint.key === key),
  );
  const wanted = source.checkpoints.filter(
    ({ key }) => key === chosen.key || finished.some(([, final]) => final.key === key),
  );
  // First: objects without a manifest would look like those of a run that lost it.
  const claimed = await ClaimedManifest.claim(store, run, source.stage, attempt);
  const copies = new Map<string, ManifestCheckpoint>();
  for (const checkpoint of wanted)
    copies.set(checkpoint.key, await copyCheckpoint(branch, source.stage, checkpoint, attempt));
  await claimed.update((manifest) => ({
    ...manifest,
    checkpoints: [...copies.values()],
    finished: Object.fromEntries(
      finished.map(([name, final]) => [name, { ...final, key: copies.get(final.key)!.key }]),
    ),
  }));
}

async function copyCheckpoint(
  { store, run, from, report }: Branch,
  stage: CheckpointStage,
  checkpoint: ManifestCheckpoint,
  attempt: string,
): Promise<ManifestCheckpoint> {
  report(`Copying the ${checkpoint.stage} checkpoint of step ${checkpoint.step} of ${from.run}`);
  const key = keys.checkpoint(run, stage, checkpoint.step, attempt);
  for (const name of partNames) {
    const body = await readPart(store, checkpoint, name);
    await store.put(`${key}/${name}`, body, { sha256: checkpoint.parts[name]!.sha256 });
  }
  // Where a run begins is kept for good.
  return { ...checkpoint, key, attempt, milestone: true };
}
