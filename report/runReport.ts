import { stringify } from 'yaml';
import { z } from 'zod';
import { storedPlaceOf } from '../datasets/reader/inPlace.js';
import { scaleEnd } from '../evaluation/renderings/colours.js';
import { evaluationWarnings } from '../evaluation/evaluationWarnings.js';
import { evaluationLimitBytes, evaluationSchema } from '../evaluation/evaluationSchema.js';
import { TestSet } from '../evaluation/testSet.js';
import { methodNames, type Evaluation } from '../evaluation/types.js';
import { keys } from '../storage/keys.js';
import { readStored } from '../storage/storedJson.js';
import type { ObjectStore } from '../storage/types.js';
import { chooseFrames } from './frames/chooseFrames.js';
import { runFrames } from './frames/runFrames.js';
import { readHistory } from './history/readHistory.js';
import { readLogged, type LoggedWarning } from './history/readLogged.js';
import { reportPage, type ReportContent } from './page.js';

const configurationSchema = z.looseObject({ dataset: z.looseObject({ name: z.string() }) });
const afresh = (run: string): string => `Have it made afresh: tempeh-flow start evaluation --run ${run}`;

export interface RunReport {
  readonly store: ObjectStore;
  readonly run: string;
  readonly signal?: AbortSignal;
  /** Price of an hour of one GPU. */
  readonly gpuPrice?: number | null;
}

/**
 * A run's page, as far as the run has come: curves and attempts while it trains, errors and heads when it is evaluated.
 *
 * @returns HTML that needs nothing else; null where the store holds nothing of the run.
 * @throws StoredObjectInvalid for an object of another form.
 */
export async function runReport({ store, run, signal, gpuPrice = null }: RunReport): Promise<string | null> {
  const configuration = await readStored(store, keys.runConfiguration(run), { schema: configurationSchema });
  const evaluationForm = { schema: evaluationSchema, todo: afresh(run), limitBytes: evaluationLimitBytes };
  const evaluation = await readStored(store, keys.evaluation(run), evaluationForm);
  const history = await readHistory(store, run, signal);
  if (configuration === null && evaluation === null && history.attempts.length + history.models.length === 0)
    return null;
  const shown =
    evaluation === null || configuration === null
      ? { frames: [], faces: null }
      : await framesOf({ store, run, ...(signal ? { signal } : {}) }, configuration.dataset, evaluation);
  const logged = await readLogged(store, run, signal);
  return reportPage({
    name: run,
    evaluation,
    ...shown,
    logged: logged.attempts,
    largestError: scaleEnd(evaluation?.methods ?? []),
    history,
    gpuPrice,
    configuration: configuration === null ? null : stringify(configuration),
    warnings: [...(evaluation === null ? [] : evaluationWarnings(evaluation)), ...logged.warnings.map(warningLine)],
  });
}

function warningLine({ step, message, times, at }: LoggedWarning): string {
  const last = `${at.slice(0, 16).replace('T', ' ')} UTC`;
  return `${step}: ${message} (${times === 1 ? last : `${times} times, the last at ${last}`})`;
}

/** Puts a run's page beside its evaluation (`keys.report`). @throws StoredObjectInvalid as `runReport`. */
export async function writeRunReport(options: RunReport): Promise<void> {
  const { store, run, signal } = options;
  const page = await runReport(options);
  if (page === null) return;
  await store.put(keys.report(run), Buffer.from(page), {
    contentType: 'text/html; charset=utf-8',
    ...(signal ? { signal } : {}),
  });
}

async function framesOf(
  { store, run, signal }: RunReport,
  dataset: { readonly name: string },
  { perFrame, methods }: Evaluation,
): Promise<Pick<ReportContent, 'frames' | 'faces'>> {
  const testSet = await TestSet.open(store, run, dataset.name, storedPlaceOf(dataset));
  const stages = await testSet.predictedStages();
  const last = stages.at(-1);
  if (last === undefined) return { frames: [], faces: null };
  const chosen = chooseFrames(perFrame, methodNames[last]);
  const frames = await runFrames(testSet, stages, chosen, scaleEnd(methods), signal);
  return { frames, faces: testSet.template.faces };
}
