import { ConfigurationError } from '../../configs/configurationError.js';
import { configurationPath, loadConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { s3At } from '../../storage/s3/s3Client.js';
import { useLocalObjectStore } from '../connection.js';

/** Whether the store is not named: famos.yaml cannot know the bucket. */
export function lacksBucket({ storage }: RunConfiguration): boolean {
  return storage.kind === 's3' && storage.bucket === 'set-your-bucket';
}

/** @throws ConfigurationError where the store is not named */
export function refusePlaceholders(configuration: RunConfiguration, file: string): void {
  if (!lacksBucket(configuration)) return;
  throw new ConfigurationError([
    {
      where: configurationPath(file),
      setting: 'storage.bucket',
      found: null,
      expected: 'name your bucket: --set storage.bucket=NAME',
    },
  ]);
}

/**
 * The configuration of a command that looks into a store.
 *
 * @throws ConfigurationError where it names none, and no services run here
 */
export async function loadWithStore(file: string, set: readonly string[]): Promise<RunConfiguration> {
  const configuration = withLocalStore(await loadConfiguration(file, set));
  refusePlaceholders(configuration, file);
  return configuration;
}

/**
 * A configuration whose store commands look into: where it names none, that of the services which run here, if any do.
 * What is started, by contrast, names its store.
 */
export function withLocalStore(configuration: RunConfiguration): RunConfiguration {
  const local = useLocalObjectStore();
  return local !== null && lacksBucket(configuration) ? { ...configuration, storage: s3At(local) } : configuration;
}
