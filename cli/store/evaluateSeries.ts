import { join, resolve } from 'node:path';
import { asEvaluation } from '../../evaluation/measure/asEvaluation.js';
import type { Measurement } from '../../evaluation/measure/types.js';
import type { ComparedRun, StoredSeries } from '../../evaluation/series/readSeries.js';
import { spreads, type Measured } from '../../evaluation/series/spread.js';
import { seriesReport } from '../../report/seriesReport.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { seriesText } from '../runs/watching/seriesText.js';
import { print, printJson } from '../terminal/print.js';

/** How one run of a series is measured, into a folder. */
export type MeasureInto = (run: string, folder: string) => Promise<Measurement>;

/**
 * Measures each run of a series into a folder of its name, then writes what they came to together: `series.json`, and
 * `report.html` from the runs' own evaluations in the store.
 *
 * @returns whether a frame of some run could not be measured.
 */
export async function evaluateSeries(
  store: ObjectStore,
  { run: name, kind, members }: StoredSeries,
  { out, json, measureInto }: { readonly out: string; readonly json: boolean; readonly measureInto: MeasureInto },
): Promise<boolean> {
  const runs: ComparedRun<Measured>[] = [];
  let isWhole = true;
  for (const { run, label } of members) {
    if (!json) print(`${run} (${label}):`);
    const measurement = await measureInto(run, join(resolve(out), run));
    isWhole &&= measurement.leftOut.length === 0;
    runs.push({ run, label, evaluation: asEvaluation(measurement) });
  }
  const found = {
    version: 1,
    run: name,
    kind,
    spread: kind === 'seeds' ? spreads(runs) : null,
    members: runs.map(({ run, label, evaluation }) => ({ run, label, methods: evaluation?.methods ?? [] })),
  };
  const folder = directoryStore(resolve(out));
  await folder.put('series.json', Buffer.from(`${JSON.stringify(found, null, 1)}\n`));
  const page = await seriesReport(store, name);
  if (page !== null) await folder.put('report.html', Buffer.from(page));
  if (json) printJson(found);
  else print(`\n${seriesText(kind, runs)}\n\n${resolve(out)}: series.json, report.html, a folder a run`);
  return isWhole;
}
