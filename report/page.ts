import type { Evaluation } from '../evaluation/types.js';
import { browserScript, packedLibrary, uplotStyle } from './embedded.js';
import { counted, escaped } from './html.js';
import type { RunHistory } from './history/readHistory.js';
import type { LoggedAttempt } from './history/readLogged.js';
import { curves } from './sections/curves.js';
import { errorTables } from './sections/errorTables.js';
import { framePictures, legend } from './sections/framePictures.js';
import { headsSection } from './sections/heads.js';
import { timeline } from './sections/timeline.js';
import type { ShownFrame } from './shownFrame.js';
import { style } from './style.js';

export interface ReportContent {
  /** Name of the run, or of what was measured. */
  readonly name: string;
  /** null: nothing is measured (yet). */
  readonly evaluation: Evaluation | null;
  readonly frames: readonly ShownFrame[];
  /** `[F, 3]` of the heads; null where there are none. */
  readonly faces: Uint32Array | null;
  /** The error that has the scale's last colour, mm. */
  readonly largestError: number;
  /** null: it was not trained here. */
  readonly history: RunHistory | null;
  /** Attempts, as their logs have them. */
  readonly logged?: readonly LoggedAttempt[];
  /** The run's configuration, as YAML. */
  readonly configuration: string | null;
  /** Notes of something that did not go as it should. */
  readonly warnings?: readonly string[];
  /** Price of an hour of one GPU; absent: what training cost is not shown. */
  readonly gpuPrice?: number | null;
  /** What the figures are about; by default the test frames. */
  readonly about?: string;
}

/** The report: one page that needs nothing else, in the reader's light or dark colours, on narrow screens and paper. */
export function reportPage(content: ReportContent): string {
  const { name, evaluation, frames, faces, largestError, history, configuration, warnings = [] } = content;
  const heads = faces === null ? '' : headsSection({ frames, faces, largestError });
  const drawn = curves(history?.curves ?? []);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)} · tempeh-flow</title>
<style>${style}${drawn === '' ? '' : uplotStyle()}</style>
<main>
<h1>${escaped(name)}</h1>
<p>${escaped(content.about ?? aboutOf(evaluation))} Made ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.</p>
${warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`).join('\n')}
${heads === '' ? '' : `${heads}${legend(largestError)}`}
${evaluation === null ? '' : errorTables(evaluation)}
${framePictures(frames, largestError)}
${drawn}
${history === null ? '' : timeline(history, content)}
${configuration === null ? '' : `<details><summary>Configuration</summary><pre>${escaped(configuration)}</pre></details>`}
</main>
${scripts(heads !== '', drawn !== '')}
</html>
`;
}

function aboutOf(evaluation: Evaluation | null): string {
  if (evaluation === null) return 'Not evaluated yet: the run’s last step does that.';
  return `${counted(evaluation.frames, 'test frame')} of ${counted(evaluation.subjects.length, 'subject')}. Errors in mm.`;
}

function scripts(heads: boolean, drawn: boolean): string {
  const libraries = [...(heads ? (['three', 'three-core'] as const) : []), ...(drawn ? (['uplot'] as const) : [])];
  if (libraries.length === 0) return '';
  const names = ['unpack.js', ...(heads ? ['heads.js'] : []), ...(drawn ? ['curves.js'] : [])];
  return `${libraries.map(packedLibrary).join('\n')}\n<script>${names.map(browserScript).join('\n')}</script>`;
}
