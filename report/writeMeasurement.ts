import { directoryStore } from '../storage/directory/directoryStore.js';
import { frameName } from '../datasets/layout.js';
import { FrameUnreadable } from '../datasets/reader/errors.js';
import { scaleEnd } from '../evaluation/renderings/colours.js';
import { asEvaluation } from '../evaluation/measure/asEvaluation.js';
import { tables } from '../evaluation/measure/tables.js';
import type { MeasuredSet, Measurement } from '../evaluation/measure/types.js';
import { chooseFrames } from './frames/chooseFrames.js';
import { measuredFrame } from './frames/measuredFrames.js';
import { reportPage } from './page.js';
import { cumulativeChart } from './sections/cumulativeChart.js';
import type { ShownFrame } from './shownFrame.js';

/**
 * Writes a measurement into a folder: `evaluation.json`, tables as CSV, `cumulative.svg`, pictures of some frames in
 * colours of their errors, and `report.html` with all of it. What is there is replaced.
 */
export async function writeMeasurement(folder: string, set: MeasuredSet, measurement: Measurement): Promise<void> {
  const store = directoryStore(folder);
  await store.put('evaluation.json', Buffer.from(`${JSON.stringify(measurement, null, 1)}\n`));
  for (const [name, text] of Object.entries(tables(measurement))) await store.put(name, Buffer.from(text));
  const evaluation = asEvaluation(measurement);
  const chart = /<svg.*<\/svg>/s.exec(cumulativeChart(evaluation))?.[0] ?? '';
  await store.put('cumulative.svg', Buffer.from(standalone(chart)));
  const largestError = scaleEnd(evaluation.methods);
  const models = evaluation.methods.filter(({ method }) => set.baselines?.has(method) !== true);
  const frames: ShownFrame[] = [];
  let faces: Uint32Array | null = null;
  for (const { id, title } of chooseFrames(evaluation.perFrame, models.at(-1)?.method ?? '')) {
    try {
      const loaded = await set.load(id);
      faces ??= [...loaded.heads.values()][0]?.faces ?? null;
      frames.push(await measuredFrame(loaded, set, title, largestError));
    } catch (error) {
      // It was read before: someone is changing the folders just now.
      if (!(error instanceof FrameUnreadable)) throw error;
    }
  }
  for (const { pictures, subject, sequence, frame } of frames) {
    for (const { caption, png } of pictures) {
      const name = `${frameName({ subject, sequence, frame })} ${caption}`.replace(/[^\w.-]+/g, '_');
      await store.put(`pictures/${name}.png`, png);
    }
  }
  const about = `${measurement.frames} frames; from every scan point to the nearest point of the predicted mesh.`;
  const of = { name: measurement.of, evaluation, frames, faces, largestError, about };
  await store.put('report.html', Buffer.from(reportPage({ ...of, history: null, configuration: null })));
}

function standalone(chart: string): string {
  const style =
    'svg{background:#fff;font:11px sans-serif}polyline{fill:none;stroke-width:2}.grid{stroke:#d9dde3}text{fill:#5b6472}';
  return chart.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `><style>${style}</style>`);
}
