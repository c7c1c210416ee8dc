/**
 * Looks at the report in Chromium: heads and curves are drawn, on a narrow screen nothing hangs out, on paper the
 * pictures stand. `npm run test:browser [-- --out DIR]`; needs Chromium (Debian: `chromium`).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readHistory } from '../../report/history/readHistory.js';
import { reportPage } from '../../report/page.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { someEvaluation, someFrames, trainedBy } from '../report/reportFixture.js';

const out = process.argv.includes('--out')
  ? resolve(process.argv.at(-1)!)
  : mkdtempSync(join(tmpdir(), 'tempeh-browser-'));
mkdirSync(out, { recursive: true });
const browser = process.env['CHROMIUM'] ?? 'chromium';

function look(file: string, ...options: string[]): string {
  const always = ['--headless', '--no-sandbox', '--disable-gpu-sandbox', '--hide-scrollbars'];
  // Software rendering; time passes at once, so that everything is drawn before the picture is taken.
  const drawing = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--virtual-time-budget=20000'];
  return execFileSync(browser, [...always, ...drawing, ...options, pathToFileURL(file).href], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 120_000,
    maxBuffer: 2 ** 28,
  });
}

const store = directoryStore(join(out, 'store'));
await trainedBy(store, 'r');
const { frames, faces } = await someFrames('r');
const page = reportPage({
  name: 'r',
  evaluation: someEvaluation('r'),
  frames,
  faces,
  largestError: 5,
  history: await readHistory(store, 'r'),
  configuration: 'dataset: {}',
});
const file = join(out, 'report.html');
writeFileSync(file, page);
// What hangs out of a narrow page shows in its width.
const measuring =
  '<script>addEventListener("load", () => setTimeout(() => { document.body.dataset.width = document.documentElement.scrollWidth; }, 3000))</script>';
const narrow = join(out, 'narrow.html');
writeFileSync(narrow, page.replace('</html>', `${measuring}</html>`));

const findings: [string, boolean][] = [];
const seen = look(file, '--window-size=1200,900', '--dump-dom');
findings.push(['the heads are drawn', /id="heads" data-drawn="0 0"/.test(seen)]);
findings.push(['both curves are drawn', seen.match(/class="uplot/g)?.length === 2]);
findings.push(['nothing says that it cannot be shown', !seen.includes('>This browser cannot show it')]);
const narrowSeen = look(narrow, '--window-size=500,900', '--dump-dom');
const width = Number(/data-width="(\d+)"/.exec(narrowSeen)?.[1]);
findings.push([`at 500 px nothing hangs out (${width} px)`, width <= 500]);
look(file, '--window-size=1200,3000', `--screenshot=${join(out, 'wide.png')}`);
look(
  file,
  '--window-size=500,3000',
  '--blink-settings=preferredColorScheme=0',
  `--screenshot=${join(out, 'dark.png')}`,
);
look(file, `--print-to-pdf=${join(out, 'paper.pdf')}`);

for (const [what, holds] of findings) console.log(`${holds ? 'ok    ' : 'NOT OK'} ${what}`);
console.log(`Pictures: ${out}`);
process.exitCode = findings.every(([, holds]) => holds) ? 0 : 1;
