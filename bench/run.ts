/** `npm run bench`: seconds and memory of steps, predictions and the data's way to them, a process each; `--help` says more. */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { makeFolderSync } from '../disk/makeFolder.js';
import { precisionSchema, type Precision } from '../configs/schema/run.js';
import { caseNames, measureCase, scaleNames, type CaseName, type MeasureCase, type ScaleName } from './cases.js';
import { listenForStop } from '../workers/lifecycle/stopRequest.js';
import type { BenchResult, CaseFigures } from './figures.js';
import type { CommandFigures } from './commandLine/figures.js';
import { commandLineReport } from './commandLine/report.js';
import type { DataPathFigures, LoaderMemoryFigures, ReaderResult } from './data/figures.js';
import type { SavingCase, SavingFigures } from './saving/figures.js';
import { savingReport } from './saving/report.js';
import { compareLosses, lossesReport } from './losses/compareLosses.js';
import type { LossesFigures, LossesResult } from './losses/figures.js';
import type { HeadResult } from './head/figures.js';
import { headReport } from './head/report.js';
import type { HostFigures } from './host/figures.js';
import { hostReport } from './host/report.js';
import { measureLoaderMemory } from './data/measureLoaderMemory.js';
import { dataPathReport, loaderMemoryReport, readerReport } from './data/report.js';
import { besidePytorch, pytorchVariants } from './besidePytorch.js';
import { arithmeticOf, networkReport } from './report.js';
import { runForJson } from './runProcess.js';

const dataCases = ['reader', 'losses', 'head', 'host', 'data-path', 'command-line', 'saving', 'loader-memory'] as const;
const options = await yargs(process.argv.slice(2))
  .scriptName('npm run bench --')
  .usage(
    '$0 [CASE …]\n\nMeasures seconds and peak memory by phase, with synthetic data; a process a case. `reader`: how fast ' +
      "batches of the miniature come, beside its steps. Only if named: `losses`, a batch's by number of threads, and beside " +
      'another build; `head`, the coarse one by our kernel and by TensorFlow’s operations; `host`, what the host does for a step, by part and number of threads; `data-path`, fetching, extraction and packing, beside curl, 7-Zip and an S3 client; `command-line`, ' +
      'processor time of `--help`, `list` and `status`; `saving`, a checkpoint of 418 MB to a store of 100 MB/s; `loader-memory`, what a loader thread takes.',
  )
  .command('$0 [cases..]', false, (command) =>
    command.positional('cases', { describe: 'what to measure', choices: [...caseNames, ...dataCases], array: true }),
  )
  .option('scale', {
    choices: [...scaleNames, 'both'] as const,
    default: 'both' as const,
    describe: 'sizes of the networks and images; both: paper and miniature',
  })
  .option('views', { type: 'number', describe: 'views a sample [16; training 8]' })
  .option('batch', { type: 'number', describe: 'samples [1; a coarse step 2]' })
  .option('vertices', { type: 'number', describe: 'vertices of the template [5023; miniature 320]' })
  .option('precision', {
    choices: precisionSchema.options,
    array: true,
    default: ['float32'] as Precision[],
    describe: 'of the arithmetic; several: each case with each, side by side',
  })
  .option('deterministic', {
    choices: ['on', 'off', 'both'] as const,
    default: 'off' as const,
    describe: 'bit-identical repetition, as runs have it unless set otherwise',
  })
  .option('repeats', { type: 'number', describe: 'runs after the first [as many as fit into 20 s, 1 to 10]' })
  .option('gigabytes', { type: 'number', default: 1, describe: 'of data-path' })
  .option('rounds', { type: 'number', default: 2, describe: 'of data-path, of which the best counts' })
  .option('threads', { type: 'number', default: 2, describe: 'of reader, losses and host' })
  .option('step-seconds', { type: 'number', default: 20, describe: 'of saving: how long a step blocks' })
  .option('against', { type: 'string', describe: 'of losses: the build folder of another commit to measure beside' })
  .option('beside-pytorch', {
    type: 'string',
    coerce: (python: string) => python || 'python3',
    describe: 'also measure bench/pytorch, with this Python (it needs torch and numpy)',
  })
  .option('pytorch', {
    choices: pytorchVariants,
    array: true,
    default: pytorchVariants,
    describe: 'variants of it to measure: the fastest counts',
  })
  .option('output', { type: 'string', default: '.tempeh/bench', describe: 'folder for bench.md and bench.json' })
  .example('$0', 'everything')
  .example('$0 coarse-step --views 16 --batch 2', 'one case at both scales, with more views')
  .example('$0 --scale miniature --precision float32 bfloat16', 'what bfloat16 costs and saves')
  .example('$0 data-path --gigabytes 2', 'the data path, with 2 GB')
  .example('$0 command-line', 'the command line')
  .example('$0 saving', 'how much of a grace a save takes')
  .example('$0 losses --against ../before/build', 'the losses, beside those of another commit')
  .example('$0 --scale paper --beside-pytorch /opt/torch/bin/python', 'beside a careful PyTorch rewrite')
  .strict()
  .alias('h', 'help')
  .wrap(110)
  .parseAsync();

const interrupted = listenForStop();
const asked = (options.cases as (CaseName | (typeof dataCases)[number])[] | undefined) ?? [
  ...caseNames,
  'reader' as const,
];
const scales: readonly ScaleName[] = options.scale === 'both' ? ['paper', 'miniature'] : [options.scale];
const { views, batch, vertices, repeats } = options;
const sizes = { views, batch, vertices, repeats };
const deterministic = { on: [true], off: [false], both: [false, true] }[options.deterministic];
const arithmetics = options.precision.flatMap((precision) =>
  deterministic.map((deterministic) => ({ precision, deterministic })),
);
const cases = scales.flatMap((scale) =>
  caseNames
    .filter((name) => asked.includes(name))
    .flatMap((name) => arithmetics.map((arithmetic) => measureCase(name, scale, sizes, arithmetic))),
);
/** What the reader has to keep up with: steps as the miniature trains, with seven of its eight views on average. */
const readerSteps = (['coarse-step', 'refinement-step'] as const).map((name) =>
  measureCase(name, 'miniature', { views: 7, batch: 2, repeats }),
);
const programOf = (module: string): string => fileURLToPath(new URL(module, import.meta.url));

try {
  if (options.besidePytorch !== undefined) {
    await runForJson(options.besidePytorch, ['-c', 'import torch, numpy; print("{}")'], interrupted.signal);
  }
  const measure = async (measured: MeasureCase): Promise<BenchResult> => {
    process.stderr.write(`${measured.name}, ${measured.scale}${arithmeticOf(measured)} … `);
    const args = [programOf('measure.js'), JSON.stringify(measured)];
    const ours = (await runForJson(process.execPath, args, interrupted.signal)) as CaseFigures;
    process.stderr.write(`${ours.seconds.toPrecision(3)} s`);
    const python = options.besidePytorch;
    const pytorch =
      python === undefined ? null : await besidePytorch(python, measured, options.pytorch, interrupted.signal);
    process.stderr.write('\n');
    return { ours, pytorch };
  };
  const measureData = async (module: string, settings: object | number): Promise<unknown> => {
    process.stderr.write(`${path.basename(module, '.js')} … `);
    const args = [programOf(module), JSON.stringify(settings)];
    const figures = await runForJson(process.execPath, args, interrupted.signal);
    process.stderr.write('done\n');
    return figures;
  };
  const results: BenchResult[] = [];
  for (const measured of cases) results.push(await measure(measured));
  const parts = results.length > 0 ? [networkReport(results)] : [];
  const json: {
    results: BenchResult[];
    reader?: ReaderResult;
    losses?: readonly LossesResult[];
    head?: HeadResult;
    host?: readonly HostFigures[];
    dataPath?: DataPathFigures;
    commandLine?: readonly CommandFigures[];
    saving?: SavingFigures;
    loaderMemory?: readonly LoaderMemoryFigures[];
  } = { results };
  if (asked.includes('reader')) {
    const steps: BenchResult[] = [];
    for (const measured of readerSteps) steps.push(await measure(measured));
    json.reader = (await measureData('data/reader.js', { threads: options.threads })) as ReaderResult;
    parts.push(readerReport(json.reader, steps));
  }
  if (asked.includes('losses')) {
    const against = options.against === undefined ? undefined : path.resolve(options.against);
    json.losses = await compareLosses(programOf('..'), against, options.threads, async (measured) => {
      return (await measureData('losses/measureLosses.js', measured)) as readonly LossesFigures[];
    });
    parts.push(lossesReport(json.losses, against));
  }
  if (asked.includes('head')) {
    json.head = (await measureData('head/measureHead.js', { rounds: options.repeats ?? 3 })) as HeadResult;
    parts.push(headReport(json.head));
  }
  if (asked.includes('host')) {
    const host: HostFigures[] = [];
    for (const network of ['coarse', 'refinement'] as const) {
      for (const threads of new Set([1, options.threads])) {
        host.push((await measureData('host/measureHost.js', { network, threads })) as HostFigures);
      }
    }
    json.host = host;
    parts.push(hostReport(host));
  }
  if (asked.includes('data-path')) {
    json.dataPath = (await measureData('data/dataPath.js', {
      gigabytes: options.gigabytes,
      rounds: options.rounds,
    })) as DataPathFigures;
    parts.push(dataPathReport(json.dataPath));
  }
  if (asked.includes('command-line')) {
    const figures = await measureData('commandLine/measureCommandLine.js', options.repeats ?? 9);
    json.commandLine = figures as readonly CommandFigures[];
    parts.push(commandLineReport(json.commandLine));
  }
  if (asked.includes('saving')) {
    const saving: SavingCase = { megabytes: 418, megabytesPerSecond: 100, stepSeconds: options.stepSeconds };
    json.saving = (await measureData('saving/measureSaving.js', saving)) as SavingFigures;
    parts.push(savingReport(json.saving));
  }
  if (asked.includes('loader-memory')) {
    json.loaderMemory = await measureLoaderMemory((settings) => measureData('data/loaderMemory.js', settings));
    parts.push(loaderMemoryReport(json.loaderMemory));
  }
  const processor = os.cpus()[0]?.model ?? 'unknown processor';
  const machine = `${os.availableParallelism()} cores of ${processor}, Node ${process.version}.`;
  const text = `# Bench\n\n${machine}\n\n${parts.join('\n')}`;
  const folder = path.resolve(options.output);
  makeFolderSync(folder);
  writeFileSync(path.join(folder, 'bench.md'), text);
  writeFileSync(path.join(folder, 'bench.json'), `${JSON.stringify(json, null, 2)}\n`);
  process.stdout.write(`${text}\n${path.join(folder, 'bench.md')} and bench.json have it.\n`);
} catch (error) {
  const hint = /No module named '(torch|numpy)'/.test(String(error))
    ? '\nThat Python has no PyTorch: `python3 -m venv DIR && DIR/bin/pip install torch==2.2.2 "numpy<2"`, then --beside-pytorch DIR/bin/python.'
    : '';
  process.stderr.write(interrupted.signal.aborted ? 'Interrupted.\n' : `\nerror: ${(error as Error).message}${hint}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
