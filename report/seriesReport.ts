import { readEvaluations, readSeries } from '../evaluation/series/readSeries.js';
import { seriesTables, type SeriesTable } from '../evaluation/series/tables.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import { counted, escaped, table } from './html.js';
import { style } from './style.js';

/**
 * The page about a series of runs: mean and spread of repeats, or an ablation's table, as far as its runs are measured.
 *
 * @returns HTML that needs nothing else; null where the store has no series of that name.
 * @throws StoredObjectInvalid for an object of another form.
 */
export async function seriesReport(store: ObjectStore, name: string): Promise<string | null> {
  const series = await readSeries(store, name);
  if (series === null) return null;
  const runs = await readEvaluations(store, series);
  const tables = seriesTables(series.kind, runs).map(tableOf);
  const measured = runs.filter(({ evaluation }) => evaluation !== null);
  const frames = measured[0]?.evaluation?.frames ?? 0;
  const about =
    measured.length === 0
      ? 'None of its runs is evaluated yet.'
      : `${measured.length} of ${counted(runs.length, 'run')} evaluated, on ${counted(frames, 'test frame')}.`;
  const pages = runs.map(({ run, label, evaluation }) => {
    const state = evaluation === null ? 'not evaluated yet' : keys.report(run);
    return `<tr><th>${escaped(label)}<td class="text">${escaped(run)}<td class="text">${escaped(state)}`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)} · tempeh-flow</title>
<style>${style}</style>
<main>
<h1>${escaped(name)}</h1>
<p>${escaped(about)} Made ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.</p>
${tables.join('\n')}
<h2>Its runs</h2>
${table('<tr><th>differs by<th class="text">run<th class="text">page', pages)}
<p class="note">tempeh-flow report RUN writes the page of one of them.</p>
</main>
</html>
`;
}

/** Puts a series' page where a run's lies (`keys.report`). @throws StoredObjectInvalid */
export async function writeSeriesReport(store: ObjectStore, name: string): Promise<void> {
  const page = await seriesReport(store, name);
  if (page === null) return;
  await store.put(keys.report(name), Buffer.from(page), { contentType: 'text/html; charset=utf-8' });
}

/** A series' table as HTML, with its title as a heading. */
function tableOf({ title, heads, rows, note }: SeriesTable): string {
  const body = rows.map(([first = '', ...cells]) => {
    return `<tr><th>${escaped(first)}${cells.map((cell) => `<td>${escaped(cell)}`).join('')}`;
  });
  const head = `<tr>${heads.map((cell) => `<th>${escaped(cell)}`).join('')}`;
  return `<h2>${escaped(title)}</h2>\n${table(head, body)}${note === '' ? '' : `\n<p class="note">${escaped(note)}</p>`}`;
}
