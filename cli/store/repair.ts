import { checkpointStages } from '../../checkpoints/manifest/manifestSchema.js';
import { applyRepair, planRepair, type RepairPlan } from '../../checkpoints/repair/planRepair.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { PreconditionFailed } from '../../storage/types.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { columns } from '../terminal/terminal.js';
import { configurationOfRun } from './ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { storedConfiguration } from './publishedCheckpoints.js';
import { print } from '../terminal/print.js';

export interface RepairOptions extends StoreOptions {
  readonly run: string;
  readonly yes: boolean;
}

/**
 * Shows what the manifests of a run would be, made again from its objects; writes them if that is wanted.
 *
 * @returns the exit code: 1 where a manifest is gone and nothing is left that it could be made from.
 */
export async function repair({ run, yes, ...where }: RepairOptions): Promise<ExitCode> {
  requireRunName(run);
  const given = await configurationOfRun(run, where);
  const store = openStore(given.storage);
  const stored = await storedConfiguration(store, run);
  if (stored === null) {
    const what = `${keys.runConfiguration(run)} is not in ${store.description}`;
    print(
      `${what}: which stages are done is judged by ${where.config ?? 'what Temporal knows of it'}, where a checkpoint does not say it itself.`,
    );
  }
  const plans: RepairPlan[] = [];
  for (const stage of checkpointStages) {
    const plan = await planRepair(store, run, stage, stored ?? given);
    if (plan === null) continue;
    plans.push(plan);
    print(describe(plan).join('\n'));
  }
  if (plans.length === 0) {
    throw new CommandError(`${run} has no checkpoints in ${store.description}, and has left no trace of any.`);
  }
  const wanted = plans.filter(({ manifest }) => manifest !== null);
  const hopeless = plans.filter(({ manifest, found }) => manifest === null && found.kind !== 'readable');
  if (yes) {
    for (const plan of wanted) await write(plan);
  } else if (wanted.length > 0) {
    print(`Nothing was changed. With --yes it is written; then: tempeh-flow resume ${run}`);
  }
  if (hopeless.length > 0) {
    const places = hopeless.map(({ stage }) => keys.checkpoints(run, stage)).join(', ');
    throw new CommandError(
      `No whole checkpoint is left below ${places}. Restore the objects of one, byte for byte, then do this again; ` +
        'or start a new run under another name.',
    );
  }
  return exitCodes.ok;

  async function write(plan: RepairPlan): Promise<void> {
    try {
      await applyRepair(store, plan);
    } catch (cause) {
      if (!(cause instanceof PreconditionFailed)) throw cause;
      throw new CommandError(`${plan.manifestKey} was written by someone else meanwhile. Look again, without --yes.`);
    }
    print(`${plan.manifestKey} is written. What was training goes on by itself; else: tempeh-flow resume ${run}`);
  }
}

function describe({ stage, manifestKey, found, checkpoints, unusable, gaps, manifest }: RepairPlan): string[] {
  const states = {
    missing: () => `${manifestKey} is missing`,
    unreadable: () => (found.kind === 'unreadable' ? found.reason : ''),
    readable: () => `${manifestKey} can be read`,
  };
  const lines = [`${stage}: ${states[found.kind]()}`];
  const rows = checkpoints.map(({ checkpoint: { step, stage: trained }, finished, isVerified }) => {
    const done = Object.keys(finished);
    return [
      '  + checkpoint',
      `step ${step}`,
      trained,
      isVerified ? 'whole, as it was saved' : 'whole; saved by an earlier version, which noted no checksums',
      done.length > 0 ? `done with it: ${done.join(', ')}` : '',
    ];
  });
  if (rows.length > 0) lines.push(columns(rows));
  for (const { key, reason } of unusable) lines.push(`  - ${key}: ${reason}; left out, and left there`);
  if (manifest === null) {
    lines.push(found.kind === 'readable' ? '  nothing to repair' : '  nothing that it could be made from');
    return lines;
  }
  const lost = found.kind === 'readable' ? manifest.quarantined.length - found.manifest.quarantined.length : 0;
  if (lost > 0) lines.push(`  ${lost} checkpoints that the manifest names cannot be read: they are put aside`);
  lines.push(`  ${manifest.events.length} segments of events, to step ${manifest.checkpoints.at(-1)?.step ?? 0}`);
  for (const [from, to] of gaps) lines.push(`  the events from step ${from} to ${to} are gone`);
  if (found.kind === 'unreadable')
    lines.push('  what stands there now is kept beside it, as manifest.unreadable-N.json');
  return lines;
}
