import { directoryStore } from '../../storage/directoryStore.js';
import { frameName } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { FrameId } from '../../datasets/types.js';
import { scaleEnd } from '../report.js';
import { cumulativeChart, reportPage, type FramePictures } from '../reportPage.js';
import { asEvaluation } from './asEvaluation.js';
import { framePictures } from './pictures.js';
import { tables } from './tables.js';
import type { MeasuredSet, Measurement } from './types.js';

const framesShown = 6;

/**
 * Writes a measurement into a folder: `evaluation.json`, tables as CSV, `cumulative.svg`, pictures of some frames and of
 * the worst in colours of their errors, and `report.html` with all of it. What is there is replaced.
 */
export async function writeMeasurement(folder: string, set: MeasuredSet, measurement: Measurement): Promise<void> {
  const store = directoryStore(folder);
  await store.put('evaluation.json', Buffer.from(`${JSON.stringify(measurement, null, 1)}\n`));
  for (const [name, text] of Object.entries(tables(measurement))) await store.put(name, Buffer.from(text));
  const evaluation = asEvaluation(measurement);
  const chart = /<svg.*<\/svg>/s.exec(cumulativeChart(evaluation))?.[0] ?? '';
  await store.put('cumulative.svg', Buffer.from(standalone(chart)));
  const largestError = scaleEnd(evaluation);
  const shown: FramePictures[] = [];
  for (const id of framesToShow(measurement)) {
    try {
      shown.push(await framePictures(await set.load(id), set.regions, largestError));
    } catch (error) {
      // It was read before: someone is changing the folders just now.
      if (!(error instanceof FrameUnreadable)) throw error;
    }
  }
  for (const { pictures, ...id } of shown) {
    for (const { caption, png } of pictures) {
      const name = `${frameName(id)} ${caption}`.replace(/[^\w.-]+/g, '_');
      await store.put(`pictures/${name}.png`, png);
    }
  }
  const about = `${measurement.frames} frames; from every scan point to the nearest point of the predicted mesh.`;
  await store.put('report.html', Buffer.from(reportPage({ evaluation, frames: shown, largestError, about })));
}

/** Evenly spread, and the one with the largest mean error of the last method. */
function framesToShow({ perFrame, methods }: Measurement): FrameId[] {
  const last = methods.at(-1)?.method;
  const rows = perFrame.filter(({ method }) => method === last);
  const count = Math.min(framesShown, rows.length);
  const spread = Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]!);
  const worst = rows.reduce<(typeof rows)[number] | null>((most, row) => {
    return most === null || row.pointToSurface.mean > most.pointToSurface.mean ? row : most;
  }, null);
  const wanted = new Set(worst === null ? spread : [...spread, worst]);
  return [...wanted].map(({ subject, sequence, frame }) => ({ subject, sequence, frame }));
}

function standalone(chart: string): string {
  const style =
    'svg{background:#fff;font:11px sans-serif}polyline{fill:none;stroke-width:2}.grid{stroke:#d9dde3}text{fill:#5b6472}';
  return chart.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `><style>${style}</style>`);
}
