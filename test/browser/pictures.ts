/**
 * Makes the pictures of docs/pictures anew, in Chromium, of a run of `npm start` whose services run (`npm start -- --keep`, or
 * `npx tempeh-flow dev` afterwards): its page in the Temporal UI and its report, and TensorBoard where that runs (`npx
 * tempeh-flow tensorboard`). `npm run docs:pictures [-- --directory DIR] [--tensorboard URL]`; needs Chromium (Debian: `chromium`).
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { findLocalServices } from '../../cli/machine/services.js';
import { readJson, workspace } from '../../cli/machine/workspace.js';
import { connectClient } from '../../client/connection/client.js';
import { packageRoot } from '../../configs/packageRoot.js';

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    tensorboard: { type: 'string', default: 'http://127.0.0.1:6006' },
    output: { type: 'string', default: join(packageRoot, 'docs', 'pictures') },
  },
});
const space = workspace(values.directory);
const services = findLocalServices(space);
const last = readJson<{ readonly run: string }>(space.lastRun);
if (services === null || last === null) {
  throw new Error(
    `${space.directory} has no run that is complete, or no services that run: npx tempeh-flow dev starts them.`,
  );
}

/** Takes a picture of a page, once it has had the time to draw itself. @param height of the page that is shown. */
async function picture(url: string, name: string, width: number, height: number): Promise<void> {
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
  // Few colours: a page is not a photograph.
  const png = await sharp(file).png({ palette: true, colours: 256, effort: 10 }).toBuffer();
  await sharp(png).toFile(file);
  console.log(`${file}: ${width} x ${height}`);
}

const { uiUrl, namespace } = services.temporal;
const client = await connectClient(services.temporal);
const { runId } = await client.workflow.getHandle(last.run).describe();
await client.connection.close();
const page = `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(last.run)}/${runId}`;
await picture(`${page}/user-metadata`, 'temporal.png', 1280, 830);
await picture(pathToFileURL(space.report).href, 'report.png', 1100, 1500);
const isServed = await fetch(values.tensorboard).then(
  ({ ok }) => ok,
  () => false,
);
if (isServed) await picture(`${values.tensorboard}/#images`, 'tensorboard.png', 1400, 1000);
else console.log(`No TensorBoard answers at ${values.tensorboard}: its picture is left as it is.`);
