import { ConfigurationError } from '../configs/configurationError.js';
import { configurationPath } from '../configs/load.js';
import type { RunConfiguration } from '../configs/schema/run.js';

/** famos.yaml cannot know the bucket. @throws ConfigurationError */
export function refusePlaceholders({ storage }: RunConfiguration, file: string): void {
  if (storage.kind !== 's3' || storage.bucket !== 'set-your-bucket') return;
  throw new ConfigurationError([
    {
      where: configurationPath(file),
      setting: 'storage.bucket',
      found: null,
      expected: 'name your bucket: --set storage.bucket=NAME',
    },
  ]);
}
