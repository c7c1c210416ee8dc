import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { placeOf } from '../../datasets/reader/inPlace.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { openFolders } from '../../evaluation/measure/folders.js';
import { measure } from '../../evaluation/measure/measure.js';
import { asEvaluation } from '../../evaluation/measure/asEvaluation.js';
import { openRun } from '../../evaluation/measure/run.js';
import type { MeasuredSet, Measurement, Summary } from '../../evaluation/measure/types.js';
import { readSeries, type StoredSeries } from '../../evaluation/series/readSeries.js';
import { writeMeasurement } from '../../report/writeMeasurement.js';
import { TestSet } from '../../evaluation/testSet.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { outputFolder } from '../outputs.js';
import { harmless } from '../terminal/harmless.js';
import { LiveDisplay } from '../terminal/liveDisplay.js';
import { untilStopped } from '../terminal/untilStopped.js';
import { evaluateSeries, type MeasureInto } from './evaluateSeries.js';
import { configurationOfRun } from './ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { evaluationTable } from '../runs/watching/evaluationTable.js';
import { bar } from '../runs/watching/progressLines.js';
import { storedConfiguration } from './publishedCheckpoints.js';
import { columns, styled } from '../terminal/terminal.js';
import { print, printJson } from '../terminal/print.js';

export interface EvaluateOptions extends StoreOptions {
  readonly run: string | undefined;
  readonly predictions: readonly string[];
  readonly scans: string | undefined;
  readonly list: string | undefined;
  readonly masks: string | undefined;
  readonly registrations: string | undefined;
  readonly out: string;
  readonly json: boolean;
  readonly allowFailures: boolean;
}

/** Measures predictions against scans. @returns the exit code: 1 where a frame could not be measured, if that is not allowed; also where none could. */
export async function evaluate(options: EvaluateOptions): Promise<ExitCode> {
  const series = await seriesOf(options);
  if (series !== null) {
    const { out, json, allowFailures } = options;
    const measureInto: MeasureInto = async (run, folder) => measured({ ...options, run }, folder);
    const isWhole = await evaluateSeries(series.store, series.series, { out, json, measureInto });
    return isWhole || allowFailures ? exitCodes.ok : exitCodes.failed;
  }
  const out = resolve(options.out);
  const measurement = await measured(options, out);
  if (options.json) printJson({ ...measurement, perFrame: undefined });
  else
    print(
      `${regionTable(measurement)}\n\n${evaluationTable(asEvaluation(measurement))}\n\n${out}: report.html, evaluation.json, *.csv, pictures`,
    );
  return measurement.leftOut.length > 0 && !options.allowFailures ? exitCodes.failed : exitCodes.ok;
}

/** The series that is named in place of a run; null for a run, and for folders. */
async function seriesOf(
  options: EvaluateOptions,
): Promise<{ readonly series: StoredSeries; readonly store: ObjectStore } | null> {
  const { run, predictions, scans } = options;
  if (run === undefined || predictions.length > 0 || scans !== undefined) return null;
  const { storage } = await configurationOfRun(run, options);
  const store = openStore(storage);
  const series = await readSeries(store, run);
  return series === null ? null : { series, store };
}

/** Measures what the options name, and writes it into a folder. @throws CommandError where no frame can be measured. */
async function measured(options: EvaluateOptions, out: string): Promise<Measurement> {
  const { set, framesPerShard } = await open(options);
  // Measuring takes hours where there are many frames.
  await outputFolder('--out', out);
  const display = options.json ? null : new LiveDisplay();
  const onFrame = harmless((done: number, total: number, problem: string | null): void => {
    if (problem !== null) display?.print(`  ${styled('yellow', '!')} ${problem}`);
    display?.show([`  ${bar(done / total)}  ${done} of ${total} frames`], () => 'frames');
  });
  const measurement = await untilStopped((signal) => measure(set, { signal, onFrame, framesPerShard })).finally(() => {
    display?.finish();
  });
  if (measurement.frames === 0) {
    const why = measurement.leftOut[0]?.reason ?? 'there is none in the list or the folder';
    throw new CommandError(`None of ${set.frames.length} frames can be measured; the first: ${why}.`);
  }
  await writeMeasurement(out, set, measurement);
  return measurement;
}

/** What is measured; of a run in shards as its evaluation has them, so that the figures are the same to the bit. */
async function open(options: EvaluateOptions): Promise<{ set: MeasuredSet; framesPerShard: number }> {
  const { run, predictions, scans } = options;
  if (run !== undefined) {
    if (predictions.length > 0 || scans !== undefined) {
      throw new CommandError('Either a RUN, or --predictions and --scans: not both.', exitCodes.usage);
    }
    const configuration = await configurationOfRun(run, options);
    const store = openStore(configuration.storage);
    const { dataset, model, predictions: shards } = (await storedConfiguration(store, run)) ?? configuration;
    if (!(await exists(store, run))) {
      const todo = 'tempeh-flow list shows those that Temporal knows; folders are named by --predictions and --scans';
      throw new CommandError(`There is no run ${run} in ${store.description}: ${todo}.`, exitCodes.usage);
    }
    const testSet = await TestSet.open(store, run, dataset.name, placeOf(dataset));
    const opened = await openRun({ store, run, testSet, volumeCentre: model.coarse.gridOrigin });
    return { set: await opened.part(0, opened.frames), framesPerShard: shards.framesPerShard };
  }
  if (predictions.length === 0 || scans === undefined) {
    throw new CommandError('Evaluate what? Name a RUN, or folders: --predictions DIR --scans DIR.', exitCodes.usage);
  }
  const folders = new Map<string, string>();
  for (const text of predictions) {
    const [, name, path] = /^([^=/]+)=(.+)$/.exec(text) ?? [null, basename(resolve(text)), text];
    if (folders.has(name)) throw new CommandError(`--predictions ${text}: ${name} comes twice.`, exitCodes.usage);
    folders.set(name, await folder('predictions', path));
  }
  const file = (path: string | undefined): string | null => (path === undefined ? null : resolve(path));
  try {
    const set = await openFolders({
      predictions: folders,
      scans: await folder('scans', scans),
      list: file(options.list),
      masks: file(options.masks),
      registrations: options.registrations === undefined ? null : await folder('registrations', options.registrations),
    });
    return { set, framesPerShard: Infinity };
  } catch (error) {
    if (error instanceof FormatError || (error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CommandError((error as Error).message, exitCodes.usage, { cause: error });
    }
    throw error;
  }
}

async function exists(store: ObjectStore, run: string): Promise<boolean> {
  for await (const _ of store.list(`${keys.run(run)}/`)) return true;
  return false;
}

async function folder(option: string, path: string): Promise<string> {
  if ((await stat(path).catch(() => null))?.isDirectory()) return resolve(path);
  throw new CommandError(`--${option} ${path}: there is no such folder.`, exitCodes.usage);
}

function regionTable({ frames, leftOut, methods, regions }: Measurement): string {
  const figures = ({ median, mean, standardDeviation, percentiles }: Summary): string[] =>
    [median, mean, standardDeviation, percentiles['90'] ?? NaN].map((value) => value.toFixed(3));
  const dim = (cells: readonly string[]): string[] => cells.map((cell) => styled('dim', cell));
  const rows = [
    dim(['method', 'region', 'median', 'mean', 'std', '90 %']),
    ...methods.flatMap(({ method, pointToSurface }) => [
      [method, 'all', ...figures(pointToSurface)],
      ...regions.filter((row) => row.method === method).map((row) => ['', row.region, ...figures(row.pointToSurface)]),
    ]),
  ];
  const left = leftOut.length === 0 ? '' : `, ${leftOut.length} left out`;
  return `Scan points to predicted surface, mm (${frames} frames${left}):\n\n${columns(rows, [2, 3, 4, 5])}`;
}
