import { ConfigurationError } from '../../configs/configurationError.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { runSteps, type RunStep } from '../../configs/temporal.js';
import { pollersOf } from '../../client/pollers.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import { openStore } from '../../storage/openStore.js';
import { duration } from '../../text/duration.js';
import { useLocalObjectStore, withTemporal, type ConnectionOptions } from '../connection.js';
import { findRunFiles } from '../runs/runFiles.js';
import { lacksBucket } from '../store/placeholders.js';
import { answersInJson, print, printJson } from '../terminal/print.js';
import { bytes, columns, styled } from '../terminal/terminal.js';
import { estimateRun, type Basis, type Estimate } from './estimate.js';

export interface PlanOptions extends ConnectionOptions {
  readonly what: RunStep | 'full-training';
  readonly run: string | undefined;
  /** Seconds of a coarse step on the machine that is to train. */
  readonly stepSeconds: number | undefined;
  /** Of an hour of one GPU, and of a month of a gigabyte, in any currency; undefined where they are not set. */
  readonly gpuPrice: number | undefined;
  readonly storagePrice: number | undefined;
}

/** A plan as `--json` has it. */
export interface Plan extends Estimate {
  readonly price: { readonly gpu: number | null; readonly storageMonth: number | null };
  /** What has to be done before it can start, each in a line. */
  readonly missing: readonly string[];
}

/** Vertices of the published template. */
const publishedVertices = 5023;

/** Says what a run would take, and what is missing; starts nothing. */
export async function showPlan(configuration: RunConfiguration, options: PlanOptions): Promise<void> {
  const missing: string[] = [];
  const dataset = await packed(configuration, missing);
  await lookForFiles(configuration, options, missing);
  await lookForWorkers(options, missing);
  const basis: Basis = {
    frames: dataset?.counts ?? null,
    vertexCount: dataset?.vertexCount ?? publishedVertices,
    packedBytes: dataset?.bytes ?? null,
    coarseStepSeconds: options.stepSeconds ?? null,
    steps: options.what === 'full-training' ? runSteps : [options.what],
  };
  const estimate = estimateRun(configuration, basis);
  const { dataset: data, checkpoints, predictions } = estimate.bucketBytes;
  const gigabytes = ((data ?? 0) + checkpoints + (predictions ?? 0)) / 1e9;
  const price = {
    gpu: options.gpuPrice === undefined ? null : (options.gpuPrice * estimate.seconds) / 3600,
    storageMonth: options.storagePrice === undefined ? null : options.storagePrice * gigabytes,
  };
  const plan: Plan = { ...estimate, price, missing };
  if (answersInJson()) printJson(plan);
  else print(planText(plan));
}

/** The data set's head, where it is packed already; what keeps the store from answering is missing. */
async function packed(configuration: RunConfiguration, missing: string[]) {
  if (lacksBucket(configuration)) {
    missing.push('The object store is not named: --set storage.bucket=NAME');
    return null;
  }
  useLocalObjectStore();
  try {
    const asked = findIndex(openStore(configuration.storage), configuration.dataset.name);
    const late = new Promise<never>((_, reject) => setTimeout(reject, patience, new Error('no answer')).unref());
    return await Promise.race([asked, late]);
  } catch (error) {
    missing.push(
      `The object store does not answer from here: ${error instanceof Error ? error.message : String(error)}`,
    );
    return null;
  }
}

/** Milliseconds. */
const patience = 8000;

async function lookForFiles(
  configuration: RunConfiguration,
  { what, run }: PlanOptions,
  missing: string[],
): Promise<void> {
  if (lacksBucket(configuration)) return;
  try {
    await findRunFiles(configuration, { what, run: run ?? null, isBranch: false, onNote: () => undefined });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    missing.push(...error.problems.map(({ expected }) => expected));
  }
}

async function lookForWorkers(options: PlanOptions, missing: string[]): Promise<void> {
  try {
    const { data, gpu, predict } = await withTemporal(options, ({ client }) => pollersOf(client));
    if (data.length === 0) missing.push('No data worker asks for tasks: tempeh-flow worker data');
    if (gpu.length === 0) missing.push('No GPU worker asks for tasks: tempeh-flow worker gpu');
    else if (predict.length === 0)
      missing.push('No GPU worker takes predictions: tempeh-flow worker gpu --work predict');
  } catch (error) {
    missing.push(error instanceof Error ? error.message : String(error));
  }
}

function planText({
  steps,
  seconds,
  ratesFrom,
  dataDiskBytes,
  gpuDiskBytes,
  bucketBytes,
  price,
  missing,
}: Plan): string {
  const rows = steps.map(({ step, count, unit, seconds: own }) => [
    `  ${step}`,
    count === null || unit === null ? 'not known' : `${count.toLocaleString('en-US')} ${unit}`,
    own === null ? '' : duration(own),
  ]);
  const size = (count: number | null): string => (count === null ? 'not known' : bytes(count));
  const { dataset, checkpoints, predictions } = bucketBytes;
  const sizes = [
    ['  disk of the data worker', size(dataDiskBytes), 'archives and what is extracted of them'],
    ['  disk of a GPU worker', bytes(gpuDiskBytes), 'cache (worker gpu --cache-bytes, or loader.cacheBytes)'],
    ['  bucket: data set', size(dataset), ''],
    ['  bucket: checkpoints', bytes(checkpoints), ''],
    ['  bucket: predictions', size(predictions), ''],
  ];
  const prices = [
    ...(price.gpu === null ? [] : [`  GPU: ${price.gpu.toFixed(2)}`]),
    ...(price.storageMonth === null ? [] : [`  bucket, a month: ${price.storageMonth.toFixed(2)}`]),
  ];
  return [
    styled('bold', 'Steps'),
    columns(rows, [2]),
    `  together ${duration(seconds)} (${(seconds / 3600).toFixed(1)} h) of one GPU worker, at ${ratesFrom}`,
    '',
    styled('bold', 'Room'),
    columns(sizes, [1]),
    ...(prices.length === 0 ? [] : ['', styled('bold', 'Price'), ...prices]),
    '',
    styled('bold', 'Missing'),
    ...(missing.length === 0 ? ['  nothing'] : missing.map((line) => `  ${styled('red', '✘')} ${line}`)),
    '',
    'Nothing was started.',
  ].join('\n');
}
