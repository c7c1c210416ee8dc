/**
 * Makes the pictures of docs/pictures anew, in Chromium, of a run of `npm start` whose services run (`npm start -- --keep`, or
 * `npx tempeh-flow dev` afterwards): its page in the Temporal UI, its report, and TensorBoard, which is started for it.
 * `npm run docs:pictures [-- --directory DIR] [--only tensorboard]`; needs Chromium (Debian: `chromium`).
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { findLocalServices } from '../../cli/machine/services.js';
import { readJson, workspace } from '../../cli/machine/workspace.js';
import { connectClient } from '../../client/connection/client.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { main } from '../support/commandLine.js';

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    only: { type: 'string', multiple: true, default: ['temporal', 'report', 'tensorboard'] },
    run: { type: 'string' },
    output: { type: 'string', default: join(packageRoot, 'docs', 'pictures') },
  },
});
const space = workspace(values.directory);
const services = findLocalServices(space);
const run = values.run ?? readJson<{ readonly run: string }>(space.lastRun)?.run;
if (services === null || run === undefined) {
  throw new Error(
    `${space.directory} has no run that is complete, or no services that run: npx tempeh-flow dev starts them.`,
  );
}

interface Shown {
  readonly width: number;
  readonly height: number;
}

/** Takes a picture of a page, once it has had the time to draw itself, of the window's size. */
async function picture(url: string, name: string, { width, height }: Shown): Promise<Buffer> {
  const file = join(values.output, name);
  const options = [
    '--headless',
    '--no-sandbox',
    '--hide-scrollbars',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
  ];
  const taking = ['--virtual-time-budget=30000', '--force-device-scale-factor=1', `--window-size=${width},${height}`];
  execFileSync(process.env['CHROMIUM'] ?? 'chromium', [...options, ...taking, `--screenshot=${file}`, url], {
    stdio: 'ignore',
    timeout: 180_000,
  });
  return sharp(file).toBuffer();
}

/** Pages beside each other, in few colours: a page is not a photograph. */
async function store(name: string, pages: readonly Buffer[], { width, height }: Shown): Promise<void> {
  const file = join(values.output, name);
  const whole = { width: width * pages.length, height, channels: 3 as const, background: 'white' };
  const parts = pages.map((input, i) => ({ input, left: i * width, top: 0 }));
  const side = await sharp({ create: whole }).composite(parts).png().toBuffer();
  await sharp(await sharp(side).png({ palette: true, colours: 256, effort: 10 }).toBuffer()).toFile(file);
  console.log(`${file}: ${whole.width} x ${height}`);
}

if (values.only.includes('temporal')) {
  const size = { width: 1280, height: 830 };
  const { uiUrl, namespace } = services.temporal;
  const client = await connectClient(services.temporal);
  const { runId } = await client.workflow.getHandle(run).describe();
  await client.connection.close();
  const page = `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(run)}/${runId}/user-metadata`;
  await store('temporal.png', [await picture(page, 'temporal.png', size)], size);
}
if (values.only.includes('report')) {
  const size = { width: 1100, height: 1500 };
  await store('report.png', [await picture(pathToFileURL(space.report).href, 'report.png', size)], size);
}
if (values.only.includes('tensorboard')) await withTensorboard(pictureTensorboard);

/** Curves on the left, pictures on the right. */
async function pictureTensorboard(url: string): Promise<void> {
  const size = { width: 900, height: 900 };
  const curves = `${url}/#scalars&tagFilter=Points2Surface%20distance%7CGradient%7CSeconds%20a%20step`;
  const pages = [curves, `${url}/#images`];
  const taken: Buffer[] = [];
  for (const page of pages) taken.push(await picture(page, 'tensorboard.png', size));
  await store('tensorboard.png', taken, size);
}

/** With the real TensorBoard of the run, by our command. */
async function withTensorboard(use: (url: string) => Promise<void>): Promise<void> {
  const port = 16_006;
  const args = [main, 'tensorboard', String(run), '--port', String(port), '--directory', space.directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = once(child, 'exit');
  try {
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    for (let waited = 0; ; waited += 500) {
      const url = /TensorBoard \S+ at (http:\S+?)\/? /.exec(told)?.[1];
      // What it shows is read a moment after it answers.
      if (url !== undefined) return await sleep(10_000).then(() => use(url));
      if (waited > 120_000 || child.exitCode !== null) throw new Error(`No TensorBoard: ${told}`);
      await sleep(500);
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
