import { directoryStore } from '../../../../storage/directory/directoryStore.js';
import { obtainBundles } from '../../../../datasets/obtain.js';
import { packDataset } from '../../../../datasets/pack/packDataset.js';
import { loadConfiguration } from '../../../../configs/load.js';

/** Fetches, extracts and packs the miniature in a process that a test kills; a line for each sign of progress. */
const [host, folder] = process.argv.slice(2) as [string, string];
const { dataset } = await loadConfiguration('miniature');
if (dataset.source.kind !== 'bundles') throw new Error('The miniature is fetched.');
const extracted = `${folder}/data`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
await obtainBundles({
  path: {
    host,
    bundles: dataset.source.bundles,
    downloads: `${folder}/downloads`,
    extracted,
    downloadsAtOnce: 4,
    deleteExtracted: false,
    credentials: async () => ({ username: 'a@b.org', password: 'secret' }),
  },
  onProgress: (phase) => say(phase),
  onDone: () => {},
  signal: new AbortController().signal,
});
await packDataset({
  store: directoryStore(`${folder}/store`),
  configuration: dataset,
  directory: extracted,
  onProgress: () => say('pack'),
});
