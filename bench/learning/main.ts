import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import yargs from 'yargs';
import { makeFolder } from '../../disk/makeFolder.js';
import { loadConfiguration } from '../../configs/load.js';
import { listenForStop } from '../../workers/lifecycle/stopRequest.js';
import { prepareTensorFlow } from '../../workers/prepareTensorFlow.js';
import { table } from '../tables.js';
import { compareCurves, curvesTable, partsApart, type ParityBlock } from './compareCurves.js';
import type { OverfitFigures } from './overfitMiniature.js';

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run learning --')
  .usage(
    '$0 [WHAT …]\n\nShows that training goes where it should. `overfit`: each stage learns two frames of the miniature by ' +
      'heart. `parity`: the same batches through us and through the PyTorch rewrite; the loss curves part no farther than ' +
      'those of PyTorch runs that add up views in other orders.',
  )
  .command('$0 [what..]', false, (command) =>
    command.positional('what', {
      describe: 'what to show [overfit; parity where there is a Python]',
      choices: ['overfit', 'parity'] as const,
      array: true,
    }),
  )
  .option('python', { type: 'string', describe: 'of parity: a Python with torch and numpy' })
  .option('steps', { type: 'number', default: 200, describe: 'of parity, a stage' })
  .option('output', {
    type: 'string',
    describe: 'of parity: a file for the curves, .csv, or .json with their comparison',
  })
  .example('$0', 'two frames, learnt by heart')
  .example('$0 parity --python /opt/torch/bin/python', 'beside PyTorch')
  .strict()
  .alias('h', 'help')
  .wrap(110)
  .parseAsync();

const asked = (options.what ?? []) as ('overfit' | 'parity')[];
const wanted: readonly string[] =
  asked.length > 0 ? asked : ['overfit', ...(options.python === undefined ? [] : ['parity'])];
const { signal } = listenForStop();
const report = (text: string): void => void process.stderr.write(`${text}\n`);
const say = (text: string): void => void process.stdout.write(`\n${text}\n`);
prepareTensorFlow(await loadConfiguration('miniature'));
const problems: string[] = [];

if (wanted.includes('overfit')) {
  // What is imported here loads TensorFlow.
  const { overfitMiniature } = await import('./overfitMiniature.js');
  const figures = await overfitMiniature(report, signal);
  say(overfitTable(figures));
  for (const { stage, after, limit } of figures)
    if (!(after < limit)) problems.push(`${stage} does not learn two frames`);
}
if (wanted.includes('parity')) {
  const { python, steps, output } = options;
  if (python === undefined) {
    throw new Error(
      'parity needs a Python with PyTorch: `python3 -m venv DIR && DIR/bin/pip install torch==2.2.2 "numpy<2"`, then --python DIR/bin/python',
    );
  }
  const { parity } = await import('./parity.js');
  const curves = await parity({ python, steps, signal, report });
  const blocks = compareCurves(curves);
  if (output !== undefined) {
    await makeFolder(dirname(output));
    await writeFile(output, output.endsWith('.csv') ? curvesTable(curves) : `${JSON.stringify({ blocks, curves })}\n`);
  }
  say(parityTable(blocks));
  for (const { stage, steps: at } of partsApart(blocks))
    problems.push(`${stage} parts from PyTorch at steps ${at.join(' to ')}`);
}
for (const problem of problems) report(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function overfitTable(figures: readonly OverfitFigures[]): string {
  return table(
    ['two frames, learnt by heart', 'steps', 'time', 'vertices before', 'after', 'limit'],
    figures.map(({ stage, steps, seconds, before, after, limit }) => [
      stage,
      String(steps),
      `${seconds.toFixed(0)} s`,
      `${before.toFixed(2)} mm`,
      `${after.toFixed(3)} mm`,
      `${limit} mm`,
    ]),
  );
}

function parityTable(blocks: readonly ParityBlock[]): string {
  const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
  return table(
    ['loss, mean over steps', 'ours', 'PyTorch', 'ours from PyTorch', 'among PyTorch runs'],
    blocks.map(({ stage, steps, ours, pytorch, oursFromPytorch, amongPytorch }) => [
      `${stage}, ${steps.join(' to ')}`,
      ours.toPrecision(5),
      pytorch.toPrecision(5),
      percent(oursFromPytorch),
      percent(amongPytorch),
    ]),
  );
}
