import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandReference } from '../../cli/documentation/commandReference.js';
import { tempehFlow } from '../support/commandLine.js';

const commands = [
  'quickstart',
  'start full-training',
  'start dataset',
  'start coarse-pretraining',
  'start coarse-finetuning',
  'start predictions',
  'start refinement',
  'start evaluation',
  'start finetune',
  'train-global',
  'train-local',
  'status',
  'list',
  'resume',
  'retry',
  'extend',
  'cancel',
  'pause',
  'unpause',
  'worker data',
  'worker gpu',
  'deployment show',
  'deployment promote',
  'namespace init',
  'codec serve',
  'codec new-key',
  'fetch models',
  'fetch test-subset',
  'fetch test-data',
  'fetch test-sequences',
  'fetch training-data',
  'dev',
  'doctor',
  'tensorboard',
  'config show',
  'config schema',
  'predict coarse',
  'predict refinement',
  'predict both',
  'dataset check',
  'dataset show',
  'dataset convert-calibrations',
  'evaluate',
  'import-checkpoint',
  'export-checkpoint',
];

describe('help', () => {
  test('the help names every command, and the exit codes', async () => {
    const { code, stdout, stderr } = await tempehFlow(['--help']);
    assert.equal(code, 0, stderr);
    for (const command of new Set(commands.map((words) => words.split(' ')[0]))) {
      assert.match(stdout, new RegExp(`tempeh-flow ${command}\\b`));
    }
    assert.match(stdout, /0 success; 1 .*; 2 .*; 3 .*; 130/s);
  });

  test('every command has an example', async () => {
    // In this process: a process each would take half a minute.
    const sections = (await commandReference()).split(/^## tempeh-flow /m);
    for (const command of commands) {
      const help = sections.find((section) => section.startsWith(`${command}\n`));
      assert.match(help ?? '', /Examples:\n {2}\S/, command);
    }
  });

  test('a script for completion', async () => {
    assert.match((await tempehFlow(['completion'])).stdout, /complete .*tempeh-flow/);
  });
});

describe('a wrong command line ends with 2 and says what was meant', () => {
  const wrong = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tempehFlow(args);
    assert.equal(code, 2, stdout + stderr);
    assert.doesNotMatch(stderr, /\n\s+at /, 'a stack trace is of no use here');
    return stderr;
  };

  test('a wrong command', async () => {
    assert.match(await wrong('strat', 'full-training'), /strat.*Did you mean start\?/);
    assert.match(await wrong('start', 'refinment', '--run', 'x'), /Did you mean refinement\?/);
    assert.match(await wrong(), /Which command/);
  });

  test('a published command line is mapped, and its errors use its own names', async () => {
    const train = (...args: string[]) => wrong('train-global', ...args, '--run', 'r', '--set', 'storage.bucket=none');
    const told = await train('--num_iterations', '9', '--weight-points2surface', '10', '--resume-path', 'x.pth');
    assert.match(told, /resume_path: has no counterpart here: tempeh-flow import-checkpoint/);
    assert.match(told, /num_iterations \(training\.coarse-finetuning\.iterations\): is 9/);
    assert.match(await train('--point-mask-weights', 'face'), /expected weights by name, as '\{"w_point_face": 1.0\}'/);
    assert.match(await train('--norm', 'in'), /norm: found "in"; expected "bn"/);
  });

  test('a wrong option', async () => {
    assert.match(await wrong('list', '--adress', 'x'), /Did you mean --address\?/);
    assert.match(await wrong('dev', '--s3-port', 'many'), /s3-port/);
    assert.match(await wrong('quickstart', '--miniature', '{subjects'), /--miniature/);
  });

  test('a wrong configuration', async () => {
    assert.match(
      await wrong('config', 'show', '--set', 'training.refinment.batchSize=1'),
      /training\.refinement\.batchSize/,
    );
    assert.match(await wrong('config', 'show', '--config', 'nowhere.yaml'), /nowhere\.yaml: there is no such file/);
  });

  test('what is no number, where it was written, and what no worker can work with, before it asks for tasks', async () => {
    const numbers = [
      ['list', '--limit', 'many'],
      ['list', '--limit='],
      ['list', '--limit', '0'],
      ['worker', 'gpu', '--tasks', 'two'],
      ['start', 'full-training', '--seeds', 'x'],
    ];
    for (const args of numbers) {
      const option = args.find((arg) => arg.startsWith('--'))!.replace('=', '');
      assert.match(
        await wrong(...args),
        new RegExp(`${option} ${args.at(-1)!.replace(/^--.*/, '')}: expected a .*number`),
      );
    }
    assert.match(
      await wrong('worker', 'data', '--directory', `${process.execPath}/x`),
      /--directory .* is a file; expected/,
    );
    assert.match(await wrong('worker', 'gpu', '--directory', ''), /--directory : found nothing; expected/);
    const memory = await tempehFlow(['worker', 'gpu', '--cpu'], { TEMPEH_DEVICE_MEMORY: '100GB' });
    assert.equal(memory.code, 2);
    assert.match(memory.stderr, /TEMPEH_DEVICE_MEMORY: found 100GB; expected bytes above 0/);
  });

  test('what would start a run of the wrong thing', async () => {
    assert.match(await wrong('start', 'full-training', '--config', 'famos'), /--set storage\.bucket=NAME/);
    assert.match(await wrong('start', 'refinement', '--config', 'miniature'), /--run/);
    assert.match(await wrong('start', 'dataset', '--config', 'miniature', '--run', 'a/b'), /--run a\/b/);
  });
});

test('services that do not answer end with 3; the address and what to do are named', async () => {
  const commandLines = [['list'], ['status', 'some-run'], ['list', '--verbose']];
  const [listed, shown, verbose] = await Promise.all(
    commandLines.map((args) => tempehFlow([...args, '--address', '127.0.0.1:1'])),
  );
  for (const { code, stderr } of [listed!, shown!]) {
    assert.equal(code, 3, stderr);
    assert.match(stderr, /127\.0\.0\.1:1\b.*tempeh-flow dev/s);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
  assert.match(verbose!.stderr, /\n\s+at /, '--verbose shows where');
});

describe('output for programs', () => {
  test('a configuration as JSON, with defaults and overrides', async () => {
    const { code, stdout } = await tempehFlow(['config', 'show', '--config', 'miniature', '--json', '--set', 'seed=7']);
    assert.equal(code, 0);
    const shown = JSON.parse(stdout) as { seed: number; checkpoints: { keepLast: number } };
    assert.equal(shown.seed, 7);
    assert.equal(shown.checkpoints.keepLast, 2);
  });

  test('the schema of configurations as JSON', async () => {
    const schema = JSON.parse((await tempehFlow(['config', 'schema'])).stdout) as { properties: object };
    assert.ok('training' in schema.properties);
  });

  test('the doctor’s findings, each with what to do where something is missing', async () => {
    const { stdout } = await tempehFlow(['doctor', '--json']);
    const checks = JSON.parse(stdout) as { name: string; status: string; mend: string }[];
    assert.ok(checks.some(({ name }) => name === 'Node'));
    for (const { status, mend } of checks) assert.equal(status === 'ok', mend === '');
  });
});
