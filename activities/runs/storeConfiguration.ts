import { z } from 'zod';
import { configurationChanges, describeChanges } from '../../configs/changes/changes.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import { readStored } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';

/** What stands at `keys.replacedConfiguration`: a configuration that a run had, and what was changed of it when. */
export interface ReplacedConfiguration {
  readonly version: 1;
  readonly replacedAt: string;
  /** A line a setting. */
  readonly changes: readonly string[];
  readonly configuration: RunConfiguration;
}

const replacedSchema = z.object({ changes: z.array(z.string()), configuration: z.looseObject({}) });

/**
 * Stores a run's configuration. One that differs from what it had before is kept with what changed, so that a run's settings at
 * any time can be found out later.
 *
 * @param before null: none that this version can read.
 */
export async function storeConfiguration(
  store: ObjectStore,
  run: string,
  before: RunConfiguration | null,
  after: RunConfiguration,
): Promise<void> {
  const contentType = 'application/json';
  const changes = before === null ? [] : describeChanges(configurationChanges(before, after));
  if (before !== null && changes.length > 0) {
    let count = 0;
    for await (const { key } of store.list(keys.replacedConfigurations(run))) if (key.endsWith('.json')) count++;
    const form = { schema: replacedSchema };
    const last = count === 0 ? null : await readStored(store, keys.replacedConfiguration(run, count), form);
    if (!isSame(last, before, changes)) {
      const replaced: ReplacedConfiguration = {
        version: 1,
        replacedAt: new Date().toISOString(),
        changes,
        configuration: before,
      };
      const body = Buffer.from(JSON.stringify(replaced, null, 1));
      await store.put(keys.replacedConfiguration(run, count + 1), body, { ifAbsent: true, contentType });
    }
  }
  await store.put(keys.runConfiguration(run), Buffer.from(JSON.stringify(after, null, 1)), { contentType });
}

/** An attempt that was killed between the two puts has written it already. */
function isSame(
  last: z.infer<typeof replacedSchema> | null,
  before: RunConfiguration,
  changes: readonly string[],
): boolean {
  if (last === null) return false;
  return (
    JSON.stringify(last.changes) === JSON.stringify(changes) &&
    JSON.stringify(last.configuration) === JSON.stringify(before)
  );
}
